"""NFM and AGOP against their definitions, in float64."""

import pytest
import torch
from helpers.brute_force import brute_force_agop
from helpers.networks import odd_net, some_images
from torch import nn

from agopconsole.backend import agop, nfm

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
    with pytest.raises(ValueError, match="no Conv2d or Linear 'relu'"):
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
