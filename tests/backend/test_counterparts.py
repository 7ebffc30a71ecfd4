"""Features and weights of a source whose layers have other names than the network's."""

import pytest
import torch
from torch import nn

from agopconsole.backend import FeatureMatrix, initialize, match_layers, nfm
from agopconsole.backend.models import build_model
from agopconsole.catalogue import MODELS
from agopconsole.errors import RequestError
from agopconsole.methods import compose


def low_rank_vgg11():
    """A vgg11 whose filters of each layer lie in a plane of that layer's own."""
    source = build_model("vgg11", classes=2, image_size=32)
    generator = torch.Generator().manual_seed(1)
    for name in MODELS["vgg11"].convolutions:
        weight = source.get_submodule(name).weight
        scales = torch.tensor([1.0, 0.3])
        mixed = torch.randn(len(weight), 2, generator=generator) * scales
        with torch.no_grad():
            weight.copy_((mixed @ torch.randn(2, weight[0].numel(), generator=generator)).reshape(weight.shape))
    return source


@pytest.mark.parametrize(("model", "source"), [("vgg11_bn", "vgg11"), ("vgg11", "vgg11_bn")])
def test_batch_norm_moves_the_names_of_the_convolutions_and_not_their_order(model, source):
    with torch.device("meta"):
        found = match_layers(*(build_model(name, classes=2, image_size=32) for name in (model, source)))
    convolutions = dict(zip(MODELS[model].convolutions, MODELS[source].convolutions, strict=True))
    assert found == {**convolutions, **{f"classifier.{i}": f"classifier.{i}" for i in (0, 3, 6)}}


def test_each_layer_of_a_vgg11_bn_is_drawn_from_the_covariance_of_the_vgg11_s_layer_in_its_place():
    source, model = low_rank_vgg11(), build_model("vgg11_bn", classes=2, image_size=32)
    names = match_layers(model, source)
    initialize(model, "kaiming_nfm", features=nfm(source), counterparts=names, seed=3)
    for ours, theirs in zip(MODELS["vgg11_bn"].convolutions, MODELS["vgg11"].convolutions, strict=True):
        drawn = model.get_submodule(ours).weight.detach().flatten(1).double()
        weight = source.get_submodule(theirs).weight.detach().flatten(1).double()
        plane = torch.linalg.svd(weight, full_matrices=False).Vh[:2]
        assert (drawn - drawn @ plane.T @ plane).norm() < 1e-5 * drawn.norm()
        inside = weight @ plane.T
        wanted = inside.T @ inside * 2 / weight.square().sum()
        found = drawn @ plane.T
        sampled = found.T @ found / len(found)
        # An entry of the mean of n products deviates by at most sqrt(2 / n) of the trace, here by 4 of these.
        assert (sampled - wanted).abs().max() < 4 * (2 / len(found)) ** 0.5 * 2


def test_pretrained_copies_weights_and_biases_of_the_layer_in_its_place():
    source, model = (
        build_model("vgg11_bn", classes=2, image_size=32, seed=1),
        build_model("vgg11", classes=2, image_size=32),
    )
    for name in MODELS["vgg11_bn"].convolutions:
        nn.init.normal_(source.get_submodule(name).bias)
    initialize(model, "pretrained", weights=source.state_dict(), counterparts=match_layers(model, source))
    for ours, theirs in zip(MODELS["vgg11"].convolutions, MODELS["vgg11_bn"].convolutions, strict=True):
        for part in ("weight", "bias"):
            assert torch.equal(getattr(model.get_submodule(ours), part), getattr(source.get_submodule(theirs), part))


def test_aligned_sees_what_reaches_the_source_s_layer_in_its_place():
    """A source with the new network's channels in another order gives it features in the new network's order."""
    torch.manual_seed(0)
    order = torch.randperm(6)
    model = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 400, 3))
    source = nn.Sequential(nn.Conv2d(3, 6, 3), nn.Identity(), nn.ReLU(), nn.Conv2d(6, 5, 3))
    with torch.no_grad():
        source[0].weight.copy_(model[0].weight[order])
        source[0].bias.copy_(model[0].bias[order])
    names = match_layers(model, source)
    assert names == {"0": "0", "2": "3"}
    initialize(
        model,
        compose("kaiming_nfm", basis="aligned"),
        features=nfm(source),
        images=torch.randn(200, 3, 8, 8),
        source=source,
        counterparts=names,
        layers="2",
    )
    back = torch.argsort(order)
    wanted = source[3].weight.detach()[:, back].flatten(1).double()
    drawn = model[2].weight.detach().flatten(1).double()
    # Five filters span five of 54 directions; in the source's own order of channels little would be left in them.
    basis = torch.linalg.svd(wanted, full_matrices=False).Vh
    assert (drawn @ basis.T).norm() > 0.99 * drawn.norm()


def test_groups_and_attentions_are_found_under_other_names_too():
    def network(prefix):
        return nn.ModuleDict(
            {f"{prefix}conv": nn.Conv2d(4, 4, 3, groups=2), f"{prefix}attention": nn.MultiheadAttention(6, 2)}
        )

    source, model = network("their_"), network("our_")
    names = match_layers(model, source, "all")
    assert names["our_attention.k"] == "their_attention.k"
    initialize(model, "pretrained", weights=source.state_dict(), counterparts=names, layers="all")
    for ours, theirs in zip(model.parameters(), source.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    rank_one = {
        key: FeatureMatrix(torch.eye(matrix.dim)[index : index + 1], matrix.patch_shape)
        for index, (key, matrix) in enumerate(nfm(source).items())
    }
    initialize(model, "nfm", features=rank_one, counterparts=names, layers="all")
    blocks = [*model["our_conv"].weight.flatten(1).chunk(2), *model["our_attention"].in_proj_weight.chunk(3)]
    for index, block in enumerate(blocks):
        assert block.abs().sum(0).nonzero().flatten().tolist() == [index]


def test_networks_whose_layers_do_not_correspond_are_refused_by_the_first_that_does_not():
    with torch.device("meta"):
        model, source = (build_model(name, classes=2, image_size=32) for name in ("vgg13", "vgg11"))
    with pytest.raises(
        RequestError, match=r"'features\.5'.*none of the source.* 64 x 3 x 3,.*'features\.6', 128 x 3 x 3"
    ):
        match_layers(model, source)
    assert match_layers(model, source, "first:2") == match_layers(model, source, partial=True)
    assert "features.5" not in match_layers(model, source, partial=True)
