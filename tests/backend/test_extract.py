"""NFM and AGOP against their definitions, in float64."""

import pytest
import torch
from helpers.brute_force import brute_force_agop
from helpers.networks import odd_net, some_images
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from agopconsole.backend import agop, nfm
from agopconsole.backend.extract import UnreachedWarning

LAYERS = {"wide": 1, "grouped": 2, "strided": 1, "hidden": 1, "head": 1}


def keys(name: str) -> list[str]:
    return [name] if LAYERS[name] == 1 else [f"{name}[{g}]" for g in range(LAYERS[name])]


@pytest.mark.parametrize("name", LAYERS)
def test_agop_equals_the_jacobian_of_every_patch(name):
    net, images = odd_net().eval(), some_images()
    expected = brute_force_agop(net, name, images)
    matrices = agop(net, images)
    for group, key in enumerate(keys(name)):
        error = (matrices[key].dense() - expected[group]).norm() / expected[group].norm()
        assert error < 1e-10


def test_agop_takes_batches_of_images_apart_and_together():
    net, images = odd_net(), some_images(37)
    whole = agop(net, images)
    parts = [agop(net, images[:20]), agop(net, images[20:])]
    for key, matrix in whole.items():
        expected = (20 * parts[0][key].dense() + 17 * parts[1][key].dense()) / 37
        assert torch.allclose(matrix.dense(), expected, rtol=1e-10, atol=1e-14)


def test_power_is_a_matrix_power():
    net, images = odd_net(), some_images()
    whole, root = agop(net, images), agop(net, images, power=0.5)
    for key, matrix in root.items():
        squared = matrix.dense() @ matrix.dense()
        assert (squared - whole[key].dense()).norm() < 1e-9 * squared.norm()


def test_nfm_is_the_gram_matrix_of_the_filters_of_each_group():
    net = odd_net()
    matrices = nfm(net)
    assert list(matrices) == [key for name in LAYERS for key in keys(name)]
    second_half = net.grouped.weight.detach().flatten(1)[4:]
    assert torch.allclose(matrices["grouped[1]"].dense(), second_half.T @ second_half)
    assert matrices["grouped[1]"].patch_shape == (3, 3, 3)


def test_nfm_stays_what_it_was_when_the_model_trains_on():
    net = odd_net()
    before = nfm(net)["wide"].dense()
    matrix = nfm(net)["wide"]
    with torch.no_grad():
        net.wide.weight.add_(1)
    assert torch.equal(matrix.dense(), before)


def test_the_model_is_left_exactly_as_it_was():
    net, images = odd_net(), some_images()
    net.train()
    net.norm.eval()
    net.hidden.weight.requires_grad_(False)
    net.head.weight.grad = torch.ones_like(net.head.weight)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    modes = [module.training for module in net.modules()]
    agop(net, images)
    agop(net, images, outputs=3, generator=torch.Generator())
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert [module.training for module in net.modules()] == modes
    assert not net.hidden.weight.requires_grad
    assert net.wide.weight.grad is None
    assert torch.equal(net.head.weight.grad, torch.ones_like(net.head.weight))
    assert not images.requires_grad
    assert all(not module._forward_hooks for module in net.modules())
    assert net.relu.inplace


def test_hooks_and_modes_come_back_when_the_model_fails():
    net = odd_net().train()
    with pytest.raises(RuntimeError):
        agop(net, torch.zeros(2, 4, 13, 17, dtype=torch.float64))
    assert all(not module._forward_hooks for module in net.modules())
    assert net.training


def test_probes_are_unbiased_and_say_their_error():
    net, images = odd_net(), some_images()
    exact = agop(net, images)["strided"]
    squared_errors, estimates, mean = [], [], 0
    for seed in range(60):
        matrix = agop(net, images, outputs=8, generator=torch.Generator().manual_seed(seed))["strided"]
        squared_errors.append((matrix.dense() - exact.dense()).norm() ** 2)
        estimates.append((matrix.relative_error * matrix.dense().norm()) ** 2)
        mean = mean + matrix.dense() / 60
    spread = torch.stack(squared_errors).mean().sqrt()
    # The mean of 60 draws lies within 3 of its own standard errors, and the estimate within 20 % of the true error.
    assert (mean - exact.dense()).norm() < 3 * spread / 60**0.5
    assert torch.stack(estimates).mean().sqrt() == pytest.approx(float(spread), rel=0.2)


def test_an_exact_matrix_has_no_error_and_one_probe_no_estimate():
    net, images = odd_net(), some_images()
    assert agop(net, images)["wide"].relative_error is None
    one = agop(net, images, outputs=1, generator=torch.Generator())["wide"].relative_error
    assert one != one


class TwiceUsed(nn.Module):
    """One convolution applied twice, one layer that the forward pass never reaches."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.idle = nn.Linear(2, 2)

    def forward(self, x):
        return self.conv(torch.relu_(self.conv(x))).flatten(1)[:, :4]


def test_a_layer_that_is_used_twice_pools_its_positions():
    torch.manual_seed(0)
    shared = TwiceUsed().double()
    first, second = (nn.Conv2d(3, 3, 3, padding=1).double() for _ in range(2))
    for conv in (first, second):
        conv.load_state_dict(shared.conv.state_dict())
    apart = nn.Sequential(first, nn.ReLU(), second, nn.Flatten(), First4())
    images = torch.randn(2, 3, 6, 6, dtype=torch.float64)
    parts = agop(apart, images)
    expected = (parts["0"].dense() + parts["2"].dense()) / 2
    matrices = agop(shared, images)
    assert torch.allclose(matrices["conv"].dense(), expected, rtol=1e-10)
    assert set(matrices) == {"conv"}


class First4(nn.Module):
    def forward(self, x):
        return x[:, :4]


def test_tokens_are_positions():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Flatten(), nn.Linear(24, 3)).double()
    images = torch.randn(3, 4, 5, dtype=torch.float64)
    expected = brute_force_agop(net, "0", images)[0]
    assert torch.allclose(agop(net, images)["0"].dense(), expected, rtol=1e-10)


def test_one_image_a_slice_and_inference_tensors_are_all_images():
    net = odd_net()
    images = some_images(4)
    expected = agop(net, images[::2].contiguous())["wide"].dense()
    assert torch.equal(agop(net, images[::2])["wide"].dense(), expected)
    with torch.inference_mode():
        frozen = images[::2].clone()
        assert torch.equal(agop(net, frozen)["wide"].dense(), expected)
    assert agop(net, images[:1])["wide"].rank >= 1


def test_only_the_layers_that_are_wanted_are_worked_on():
    net, images = odd_net(), some_images()
    whole, part = agop(net, images), agop(net, images, layers=["grouped", "head"])
    assert list(part) == ["grouped[0]", "grouped[1]", "head"]
    assert all(torch.equal(matrix.dense(), whole[key].dense()) for key, matrix in part.items())
    with pytest.raises(ValueError, match="no Conv2d, Linear or attention 'relu'"):
        agop(net, images, layers=["head", "relu"])


@pytest.mark.parametrize(
    ("images", "outputs", "said"),
    [(some_images(0), "all", "no|none"), (some_images(), "some", "outputs"), (some_images(), 0, "outputs")],
)
def test_wrong_arguments_are_named(images, outputs, said):
    with pytest.raises(ValueError, match=said):
        agop(odd_net(), images, outputs=outputs)


def test_a_model_that_returns_no_vector_an_image_is_named():
    with pytest.raises(ValueError, match="one tensor of shape"):
        agop(nn.Conv2d(3, 2, 3).double(), some_images())


def test_gradients_that_are_not_finite_are_an_error():
    net = odd_net()
    nn.init.constant_(net.head.weight, float("nan"))
    with pytest.raises(ValueError, match="not finite"):
        agop(net, some_images())


def test_progress_counts_images():
    seen = []
    agop(odd_net(), some_images(20), progress=lambda done, whole: seen.append((done, whole)))
    assert seen == [(16, 20), (20, 20)]


def test_float32_agrees_with_float64():
    wide, narrow = agop(odd_net(), some_images()), agop(odd_net(torch.float32), some_images().float())
    for key, matrix in wide.items():
        assert (narrow[key].dense().double() - matrix.dense()).norm() < 1e-4 * matrix.dense().norm()


@pytest.mark.parametrize("padding_mode", ["zeros", "reflect", "circular", "replicate"])
def test_any_padding_of_a_convolution(padding_mode):
    convs = [nn.Conv2d(3, 4, (3, 2), padding="same", dilation=2, padding_mode=padding_mode), nn.Conv2d(4, 2, 3)]
    net = nn.Sequential(convs[0], nn.Tanh(), convs[1], nn.Flatten(), nn.LazyLinear(3)).double().eval()
    net(some_images())
    # The same outputs from an image that is padded beforehand: then no padding is left to the layer.
    plain = nn.Conv2d(3, 4, (3, 2), dilation=2).double()
    plain.load_state_dict(convs[0].state_dict())
    bare = nn.Sequential(plain, *list(net)[1:])
    padded = nn.functional.pad(
        some_images(), (1, 1, 2, 2), mode="constant" if padding_mode == "zeros" else padding_mode
    )
    expected = brute_force_agop(bare, "0", padded)[0]
    assert (agop(net, some_images())["0"].dense() - expected).norm() < 1e-10 * expected.norm()


def test_a_layer_that_is_not_reached_is_named():
    net = odd_net()
    net.idle = nn.Linear(2, 2)
    with pytest.warns(UnreachedWarning, match="does not reach idle: no AGOP"):
        assert "idle" not in agop(net, some_images())


def test_modules_that_share_a_weight_add_up():
    class Shared(nn.Module):
        def __init__(self, *, tied: bool) -> None:
            super().__init__()
            self.first, self.second, self.tied = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False), tied
            self.second.weight = self.first.weight

        def forward(self, x):
            return (self.second if self.tied else self.first)(torch.tanh(self.first(x)))

    tied, twice = Shared(tied=True).double(), Shared(tied=False).double()
    twice.load_state_dict(tied.state_dict())
    images = torch.randn(4, 3, dtype=torch.float64)
    assert torch.allclose(agop(tied, images)["first"].dense(), agop(twice, images)["first"].dense(), rtol=1e-12)


def test_batches_of_a_loader_are_as_good_as_one_tensor():
    net, images, seen = odd_net(), some_images(21), []
    whole = agop(net, images)
    loader = DataLoader(TensorDataset(images, torch.zeros(21)), batch_size=5)
    streamed = agop(net, loader, progress=lambda done, n: seen.append((done, n)))
    assert seen == [(5, 21), (10, 21), (15, 21), (20, 21), (21, 21)]
    for key, matrix in agop(net, (image[None] for image in images), memory="20 MB").items():
        assert torch.allclose(matrix.dense(), whole[key].dense(), rtol=1e-10, atol=1e-14)
        assert torch.allclose(streamed[key].dense(), whole[key].dense(), rtol=1e-10, atol=1e-14)


def test_memory_that_holds_no_image_is_an_error():
    with pytest.raises(ValueError, match="one output of one image takes about"):
        agop(odd_net(), some_images(), memory=100)


def test_a_wide_layer_keeps_gradients_in_place_of_a_square_matrix():
    net = nn.Sequential(nn.Linear(6, 50), nn.Tanh(), nn.Linear(50, 3)).double()
    images = torch.randn(4, 6, dtype=torch.float64)
    matrix = agop(net, images)["0"]
    expected = brute_force_agop(net, "0", images)[0]
    assert matrix.factor.shape == (12, 6)
    assert (matrix.dense() - expected).norm() < 1e-10 * expected.norm()


def test_tensors_made_in_inference_mode_serve():
    with torch.inference_mode():
        net, images = odd_net(), some_images()
        inside = agop(net, images)
    assert net.wide.weight.is_inference()
    assert images.is_inference()
    for key, matrix in agop(odd_net(), some_images()).items():
        assert torch.allclose(agop(net, images)[key].dense(), matrix.dense(), rtol=1e-12)
        assert torch.allclose(inside[key].dense(), matrix.dense(), rtol=1e-12)


def test_images_may_lie_in_memory_in_any_order():
    images = some_images()
    strided = images.mT.contiguous().mT
    assert not strided.is_contiguous()
    for key, matrix in agop(odd_net(), images[:1]).items():
        assert torch.allclose(agop(odd_net(), strided[:1])[key].dense(), matrix.dense(), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_serves_and_float32_passes_can_be_asked_for(dtype):
    net = odd_net(dtype)
    exact = agop(odd_net(dtype).double(), some_images())
    assert nfm(net)["wide"].factor.dtype == torch.float32
    for key, matrix in agop(net, some_images(), precision="float32").items():
        assert (matrix.dense().double() - exact[key].dense()).norm() < 1e-4 * exact[key].dense().norm()
    for key, matrix in agop(net, some_images()).items():
        assert matrix.factor.dtype == torch.float32
        assert (matrix.dense().double() - exact[key].dense()).norm() < 0.2 * exact[key].dense().norm()
    assert net.wide.weight.dtype == dtype


def test_a_precision_that_is_none_is_an_error():
    with pytest.raises(ValueError, match="precision is 'float32' or 'bfloat16', not 'int8'"):
        agop(odd_net(), some_images(), precision="int8")


@pytest.mark.parametrize("wrap", [lambda y: (y, y[:, :2]), lambda y: {"logits": y, "aux": y}, lambda y: [None, (y,)]])
def test_of_several_outputs_the_first_tensor_is_taken(wrap):
    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = odd_net()

        def forward(self, x):
            return wrap(self.net(x))

    plain = agop(odd_net(), some_images())
    assert torch.equal(agop(Wrapped(), some_images())["net.wide"].dense(), plain["wide"].dense()) or torch.allclose(
        agop(Wrapped(), some_images())["net.wide"].dense(), plain["wide"].dense(), rtol=1e-12
    )


def test_what_is_computed_once_for_all_images_is_told_apart_by_image():
    class Biased(nn.Module):
        """A layer of the position bias sees no image, as in a Swin v2."""

        def __init__(self) -> None:
            super().__init__()
            self.position, self.body = nn.Linear(2, 4), nn.Linear(4, 3)

        def forward(self, x):
            return self.body(torch.tanh(x * self.position(torch.ones(1, 2, dtype=x.dtype))))

    net, images = Biased().double(), torch.randn(3, 4, dtype=torch.float64)
    one_by_one = [agop(net, image[None])["position"].dense() for image in images]
    assert torch.allclose(agop(net, images)["position"].dense(), sum(one_by_one) / 3, rtol=1e-12)
