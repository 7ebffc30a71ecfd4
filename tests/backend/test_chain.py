"""Passing through a straight line of layers by hand, against the definition of the AGOP in float64."""

import pytest
import torch
from helpers.brute_force import brute_force_agop
from helpers.networks import odd_net, some_images
from torch import Tensor, nn

from agopconsole.backend import agop
from agopconsole.backend.chain import straight_line


class Line(nn.Module):
    """Pooled and unpooled convolutions, with and without a ReLU, and functions between them; 4 outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 32, 3, padding=1)
        self.second = nn.Conv2d(32, 40, 3, padding=1)
        self.third = nn.Conv2d(40, 33, 3, padding=(2, 1), bias=False)
        self.strided = nn.Conv2d(33, 8, (3, 2), stride=2, groups=1, padding_mode="circular", padding=1)
        self.grouped = nn.Conv2d(8, 6, 3, dilation=2, groups=2)
        self.norm = nn.BatchNorm2d(6)
        self.relu = nn.ReLU(inplace=True)
        self.also_relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.relu(self.first(x)))
        x = self.third(self.also_relu(self.second(x)))
        x = torch.tanh(self.strided(x))
        x = nn.functional.relu(self.norm(self.grouped(x)), inplace=True)
        return self.head(x.mean((2, 3)))


LAYERS = ("first", "second", "third", "strided", "grouped", "head")


def a_line() -> tuple[Line, Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = Line().double()
        net(torch.randn(8, 3, 19, 22, dtype=torch.float64))
        images = torch.randn(3, 3, 19, 22, dtype=torch.float64)
        images[0, :, :8] = 0.5  # a plain patch of sky: all maxima of a window are equal, and one of them counts
    return net.eval(), images


def relative_error(matrix, expected: Tensor) -> float:
    return float((matrix.dense() - expected).norm() / expected.norm())


@pytest.mark.parametrize("winograd", [False, True])
@pytest.mark.parametrize("name", [name for name in LAYERS if name not in ("strided", "grouped")])
def test_a_line_has_the_agop_of_the_definition(name, winograd, monkeypatch):
    monkeypatch.setattr("agopconsole.backend.chain.bytes_at_once", lambda device: 1)  # every direction by itself
    net, images = a_line()
    assert straight_line(net) is not None
    expected = brute_force_agop(net, name, images)[0].detach()
    assert relative_error(agop(net, images, layers=[name], winograd=winograd)[name], expected) < 1e-10


def layers_of_a_head() -> nn.Sequential:
    """A convolution with channels that no image reaches, and linear layers with and without a ReLU behind them."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        net = nn.Sequential(
            nn.Conv2d(3, 9, 3),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Flatten(),
            nn.Linear(9 * 36, 12),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(12, 7),
            nn.Identity(),
            nn.Linear(7, 4),
        ).double()
        with torch.no_grad():
            net[0].bias[[1, 5, 6]] = -1e3
        return net.eval()


@pytest.mark.parametrize("name", ["0", "4", "7", "9"])
def test_a_head_and_dead_channels_have_the_agop_of_the_definition(name):
    net, images = layers_of_a_head(), torch.randn(3, 3, 8, 8, dtype=torch.float64)
    assert straight_line(net) is not None
    matrix = agop(net, images)[name]
    assert relative_error(matrix, brute_force_agop(net, name, images)[0].detach()) < 1e-10
    assert name != "0" or matrix.rank == 6


@pytest.mark.parametrize("winograd", [False, True])
def test_a_line_has_the_agop_that_autograd_gives(winograd, monkeypatch):
    net, images = a_line()
    by_hand = agop(net, images, winograd=winograd)
    monkeypatch.setattr("agopconsole.backend.extract.straight_line", lambda model, **options: None)
    for key, matrix in agop(net, images).items():
        assert relative_error(by_hand[key], matrix.dense()) < 1e-10


@pytest.mark.parametrize("winograd", [False, True])
def test_single_precision_is_within_its_bound(winograd):
    net, images = a_line()
    exact = agop(net, images)
    for key, matrix in agop(net.float(), images.float(), winograd=winograd).items():
        assert relative_error(matrix, exact[key].dense()) < 1e-3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_way_back_in_bfloat16_leaves_the_masks_as_they_are(dtype):
    net, images = layers_of_a_head(), torch.randn(3, 3, 8, 8, dtype=torch.float64)
    exact = agop(net, images)
    found = agop(net.to(dtype), images.to(dtype), precision="bfloat16")
    assert {matrix.factor.dtype for matrix in found.values()} == {dtype}
    assert max(relative_error(matrix, exact[key].dense()) for key, matrix in found.items()) < 1e-2
    assert {parameter.dtype for parameter in net.parameters()} == {dtype}


def test_every_step_of_a_line_goes_back_in_bfloat16():
    net, images = a_line()
    exact = agop(net, images)
    for key, matrix in agop(net.float(), images.float(), precision="bfloat16").items():
        assert relative_error(matrix, exact[key].dense()) < 2e-2


def test_what_is_no_line_is_left_to_autograd():
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(self.layer(x))

    class Residual(Twice):
        def forward(self, x: Tensor) -> Tensor:
            return x + self.layer(x)

    class Untraceable(Twice):
        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x) if x.sum() > 0 else x

    class Functional(Twice):
        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.linear(x, self.layer.weight)

    for net in (Twice(), Residual(), Untraceable(), Functional()):
        assert straight_line(net) is None
    hooked = nn.Sequential(nn.Linear(4, 4))
    hooked[0].register_forward_hook(lambda module, inputs, output: 2 * output)
    assert straight_line(hooked) is None


def test_winograd_changes_nothing_where_it_does_not_serve():
    net, images = odd_net(), some_images()
    for key, matrix in agop(net, images, winograd=True).items():
        assert torch.equal(matrix.factor, agop(net, images, winograd=False)[key].factor)
