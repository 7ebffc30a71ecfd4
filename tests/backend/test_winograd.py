"""Winograd's way against the library's gradient in float64."""

import pytest
import torch
from torch import nn

from agopconsole.backend.scratch import Scratch
from agopconsole.backend.winograd import InputGradient, covers


def relative_error(conv: nn.Conv2d, height: int, width: int, dtype: torch.dtype) -> float:
    generator = torch.Generator().manual_seed(0)
    nn.init.normal_(conv.weight, generator=generator)
    delta = torch.randn(3, conv.out_channels, height, width, dtype=torch.float64, generator=generator)
    down, across = conv.padding
    shape = (3, conv.in_channels, height + 2 - 2 * down, width + 2 - 2 * across)
    weight = conv.weight.detach().double()
    expected = nn.grad.conv2d_input(shape, weight, delta, padding=conv.padding)
    out = torch.full((3, *shape[2:], shape[1]), torch.nan, dtype=dtype)
    InputGradient(conv.to(dtype), Scratch())(delta.to(dtype).movedim(1, -1).contiguous(), out)
    return float((out.movedim(-1, 1) - expected).norm() / expected.norm())


@pytest.mark.parametrize("padding", [0, 1, 2, (0, 1), (2, 1)])
@pytest.mark.parametrize("size", [(12, 12), (13, 7), (4, 18)])
def test_it_is_the_gradient(padding, size):
    conv = nn.Conv2d(33, 40, 3, padding=padding)
    assert relative_error(conv, *size, torch.float64) < 1e-13


def test_single_precision_loses_one_digit():
    assert relative_error(nn.Conv2d(64, 96, 3, padding=1), 14, 14, torch.float32) < 5e-6


def test_maps_that_do_not_fit_the_memory_go_in_pieces(monkeypatch):
    monkeypatch.setattr("agopconsole.backend.winograd.bytes_at_once", lambda device: 1)
    assert relative_error(nn.Conv2d(32, 32, 3, padding=1), 8, 8, torch.float64) < 1e-13


def test_it_covers_what_it_makes_cheaper():
    def conv(c_in: int = 64, c_out: int = 64, kernel: int = 3, **options) -> nn.Conv2d:
        return nn.Conv2d(c_in, c_out, kernel, **{"padding": 1, **options})

    assert covers(conv(), 14, 14)
    assert not covers(conv(), 5, 5)  # two tiles a side, the second almost empty
    others = (
        conv(3),
        conv(64, 3),
        conv(kernel=5),
        conv(stride=2),
        conv(dilation=2),
        conv(groups=2),
        conv(padding=3),
        conv(padding="same"),
        conv(padding_mode="reflect"),
        conv(dtype=torch.bfloat16),
    )
    assert not any(covers(other, 14, 14) for other in others)
