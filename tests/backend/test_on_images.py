import pytest
import torch
from helpers.networks import odd_net, small_swin, small_vit, some_images
from torch import nn
from torch.nn import functional

from agopconsole.backend import initialize, nfm
from agopconsole.backend.layers import weight_slots
from agopconsole.backend.uses import recorded_uses
from agopconsole.errors import RequestError
from agopconsole.methods import compose

LAYERS = "wide,grouped,strided,hidden"


def net(bias=True):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1, bias=bias),
            nn.ReLU(inplace=True),
            nn.Conv2d(16, 12, 3, stride=2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(12 * 9, 4),
        )


def images(n=40):
    return torch.rand(n, 3, 8, 8, generator=torch.Generator().manual_seed(1)) + 0.5


def outputs_of(model, x):
    """What every layer gives for the images, in order."""
    found = []
    for module in model:
        x = module(x)
        if isinstance(module, nn.Conv2d | nn.Linear):
            found.append(x.detach().clone())
    return found


@pytest.mark.parametrize("init", ["kaiming_normal", "kaiming_nfm", "orthogonal", "delta_orthogonal", "pretrained"])
def test_lsuv_gives_every_layer_mean_0_and_variance_2(init):
    model = net()
    initialize(
        model,
        compose(init, scale="lsuv"),
        features=nfm(net()),
        weights=net().state_dict(),
        images=images(),
        layers="all",
    )
    for output in outputs_of(model, images()):
        rows = output.transpose(0, 1).flatten(1)
        assert torch.allclose(rows.mean(1), torch.zeros(len(rows)), atol=1e-4)
        assert float((rows - rows.mean(1, keepdim=True)).square().mean()) == pytest.approx(2, rel=1e-3)


def test_lsuv_wants_variance_1_under_a_norm_layer_and_starts_odd_layers():
    model, x = odd_net(torch.float32), some_images(8, torch.float32)
    initialize(model, compose("kaiming_normal", scale="lsuv"), images=x, layers=LAYERS)
    first = model.wide(x).detach()
    assert float((first - first.mean((0, 2, 3), keepdim=True)).square().mean()) == pytest.approx(2, rel=1e-3)
    under_norm = model.grouped(functional.relu(first)).detach()
    assert float((under_norm - under_norm.mean((0, 2, 3), keepdim=True)).square().mean()) == pytest.approx(
        1, rel=1e-3
    )


def test_a_layer_without_a_bias_keeps_its_mean():
    model = net(bias=False)
    initialize(model, compose("kaiming_normal", scale="lsuv"), images=images(), layers="first:1")
    assert model[0].bias is None
    assert model[0](images()).mean((0, 2, 3)).abs().max() > 0.1


@pytest.mark.parametrize("basis", ["centred", "centred_rotated"])
@pytest.mark.parametrize("init", ["kaiming_nfm", "kaiming_normal"])
def test_centred_filters_do_not_answer_to_the_mean_patch(init, basis):
    model = net()
    initialize(model, compose(init, basis=basis), features=nfm(net()), images=images())
    x = images()
    for module in model[:4]:
        if isinstance(module, nn.Conv2d):
            patches = functional.unfold(x, 3, padding=module.padding, stride=module.stride)
            mean = patches.mean((0, 2))
            answers = (
                module.weight.detach().flatten(1)
                @ mean
                / (module.weight.detach().flatten(1).norm(dim=1) * mean.norm())
            )
            assert answers.abs().max() < 1e-5
        x = module(x)


def test_centred_and_rotated_filters_have_the_spectrum_that_centred_ones_have_in_other_directions():
    """By the covariance of 20,000 filters: its eigenvalues, and the share of it in the span of the centred matrix."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        source = nn.Sequential(nn.Conv2d(3, 5, 3))
    covariances, projections = {}, {}
    for basis in ("centred", "centred_rotated"):
        model = nn.Sequential(nn.Conv2d(3, 20_000, 3))
        initialize(model, compose("kaiming_nfm", basis=basis), features=nfm(source), images=images())
        drawn = model[0].weight.detach().flatten(1).double()
        covariances[basis] = drawn.T @ drawn / len(drawn)
        span = torch.linalg.eigh(covariances[basis]).eigenvectors[:, -5:]
        projections[basis] = span @ span.T
    values = [torch.linalg.eigvalsh(covariance)[-5:] for covariance in covariances.values()]
    assert torch.allclose(values[0], values[1], rtol=0.05)  # five deviations of an eigenvalue of so many draws
    assert torch.linalg.matrix_rank(covariances["centred_rotated"], rtol=1e-6) == 5
    shared = float((covariances["centred_rotated"] * projections["centred"]).sum() / covariances["centred"].trace())
    assert shared < 0.6  # of 26 dimensions five hold a fifth of a random matrix; of its own all


def test_a_centred_isotropic_start_keeps_the_trace():
    model = nn.Sequential(nn.Conv2d(3, 4000, 3))
    initialize(model, compose("kaiming_normal", basis="centred"), images=images())
    assert float(model[0].weight.detach().flatten(1).square().sum(1).mean()) == pytest.approx(2, rel=0.02)


def test_aligned_finds_the_source_behind_a_permutation_of_its_channels():
    """The new network's first layer is the source's with its filters in another order: its second must follow."""
    source = net()
    order = torch.randperm(16, generator=torch.Generator().manual_seed(2))
    model = net()
    with torch.no_grad():
        model[0].weight.copy_(source[0].weight[order])
        model[0].bias.copy_(source[0].bias[order])
        model[2] = nn.Conv2d(16, 6000, 3, stride=2)
        model[5] = nn.Linear(6000 * 9, 4)
    method = compose("kaiming_nfm", basis="aligned")
    initialize(model, method, features=nfm(source), images=images(), source=source, layers="2")
    drawn = model[2].weight.detach().flatten(1)
    covariance = drawn.T @ drawn / len(drawn)
    wanted = source[2].weight.detach()[:, order].flatten(1)
    wanted = wanted.T @ wanted
    wanted *= 2 / wanted.trace()
    assert torch.linalg.norm(covariance - wanted) / torch.linalg.norm(wanted) < 0.1  # 6,000 draws of rank 12: 0.05


@pytest.mark.parametrize(
    ("choices", "given", "message"),
    [
        ({"scale": "lsuv"}, {}, "none were given"),
        ({"basis": "centred"}, {}, "none were given"),
        ({"basis": "centred_rotated"}, {}, "none were given"),
        ({"basis": "aligned"}, {"images": images()}, "no source network was given"),
        ({"basis": "aligned"}, {"images": images(), "source": nn.Sequential(nn.Identity())}, "no layer of that name"),
    ],
)
def test_what_a_choice_needs_is_asked_for(choices, given, message):
    with pytest.raises(RequestError, match=message):
        initialize(net(), compose("kaiming_nfm", **choices), features=nfm(net()), **given)


def test_a_layer_that_is_not_reached_or_whose_outputs_are_equal_is_named():
    model = net()
    model.unused = nn.Conv2d(3, 4, 3)
    model.forward = lambda x: nn.Sequential(*list(model)[:6])(x)
    with pytest.raises(RequestError, match="'unused' is not reached"):
        initialize(model, compose("kaiming_normal", scale="lsuv"), images=images())
    with pytest.raises(RequestError, match="all its outputs are equal"):
        initialize(net(), compose("kaiming_normal", scale="lsuv"), images=torch.zeros(4, 3, 8, 8))


def test_hooks_are_gone_and_modes_are_back():
    model = net().train()
    initialize(model, compose("kaiming_normal", scale="lsuv"), images=images())
    assert all(
        module.training and not module._forward_hooks and not module._forward_pre_hooks for module in model.modules()
    )


TRANSFORMERS = {"vit": (small_vit, 16), "swin": (small_swin, 32)}


def uses_of(model, x):
    slots = weight_slots(model)
    with recorded_uses(slots.values(), with_inputs=True) as uses:
        model(x)
    return {use.slot: (use.inputs, use.part.of(use.output.detach())) for use in uses}


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_lsuv_starts_every_weight_of_a_transformer(name):
    make, size = TRANSFORMERS[name]
    model, x = make(), torch.randn(8, 3, size, size, generator=torch.Generator().manual_seed(1))
    initialize(model, compose("kaiming_nfm", scale="lsuv"), features=nfm(make()), images=x, layers="all")
    under_norm = {"features.2.reduction"}  # a Swin's patch merging ends in a norm
    found = uses_of(model, x)
    assert set(found) == set(weight_slots(model))
    for slot, (_, output) in found.items():
        rows = output.transpose(0, 1).flatten(1) if slot.endswith(("conv_proj", "0.0")) else output.flatten(0, -2).T
        wanted = 1 if slot in under_norm else 2
        assert float(rows.var(1, correction=0).mean()) == pytest.approx(wanted, rel=1e-2), slot
        if weight_slots(model)[slot].bias is not None:
            assert rows.mean(1).abs().max() < 1e-3, slot


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_centred_weights_of_a_transformer_do_not_answer_to_the_mean_token(name):
    make, size = TRANSFORMERS[name]
    model, x = make(), torch.randn(8, 3, size, size, generator=torch.Generator().manual_seed(1))
    initialize(model, compose("kaiming_nfm", basis="centred"), features=nfm(make()), images=x, layers="attention")
    slots, found = weight_slots(model), uses_of(model, x)
    names = [slot for slot in slots if "attn" in slot or "attention" in slot]
    assert len(names) == 8
    for slot in names:
        mean = found[slot][0].flatten(0, -2).mean(0)
        answers = slots[slot].weight @ mean / (slots[slot].weight.norm(dim=1) * mean.norm())
        assert answers.abs().max() < 1e-4, slot


def test_aligned_finds_the_attention_of_a_source_whose_tokens_are_permuted():
    """Embeddings in another order of channels: q, k and v of the first block must follow."""
    source, model = small_vit(), small_vit()
    order = torch.randperm(16, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        model.conv_proj.weight.copy_(source.conv_proj.weight[order])
        model.conv_proj.bias.copy_(source.conv_proj.bias[order])
        model.class_token.copy_(source.class_token[..., order])
        model.encoder.pos_embedding.copy_(source.encoder.pos_embedding[..., order])
    x = torch.randn(8, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    attention = "encoder.layers.encoder_layer_0.self_attention"
    method = compose("kaiming_nfm", basis="aligned")
    initialize(model, method, features=nfm(source), images=x, source=source, layers=f"{attention}.q")
    plain = small_vit()
    initialize(plain, "kaiming_nfm", features=nfm(source), layers=f"{attention}.q")
    same_draw = weight_slots(plain)[f"{attention}.q"].weight[:, order]
    # Behind a layer norm channels sum to 0, so that what a weight gives to (1, ..., 1) is nobody's business.
    drawn, wanted = (w - w.mean(1, keepdim=True) for w in (weight_slots(model)[f"{attention}.q"].weight, same_draw))
    assert torch.allclose(drawn, wanted, atol=1e-4)
