"""The input gradient of 3 x 3 convolutions by Winograd's minimal filtering: a quarter of the multiplications.

An output tile of m x m needs (m + 2)^2 multiplications a channel pair in place of 9 m^2 (Lavin and Gray 2016,
arXiv:1509.09308). Everything is a plain matrix product on channels-last maps: a transform of tiles is one product
with a Kronecker square, and the channels meet in one batched product, a factor for each of the (m + 2)^2 places.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
from numpy.polynomial import polynomial
from torch import Tensor, nn

from agopconsole.backend.scratch import Scratch, bytes_at_once

TILE = 4
_TAPS = 3
_SPAN = TILE + _TAPS - 1
_POINTS = {2: (0.0, 1.0, -1.0), TILE: (0.0, 1.0, -1.0, 0.5, -2.0)}
"""Where the polynomials are evaluated; these lose fewer digits than 0, 1, -1, 2, -2 (Barabasz et al. 2020)."""

_NARROW = 32


def covers(conv: nn.Conv2d, height: int, width: int) -> bool:
    """Whether this way takes less than half the library's multiplications for outputs of that size."""
    if not serves(conv):
        return False
    rows, columns = _input_size(conv, height, width)
    tiles = math.ceil(rows / TILE) * math.ceil(columns / TILE)
    return 2 * tiles * _SPAN**2 < height * width * _TAPS**2


def serves(conv: nn.Conv2d) -> bool:
    """Whether the filtering here is that of such a convolution.

    That is a 3 x 3 one of stride 1, without dilation and groups, padded with at most two rings of zeros, of at least
    32 channels on both sides.
    """
    return (
        conv.kernel_size == (_TAPS, _TAPS)
        and conv.stride == (1, 1)
        and conv.dilation == (1, 1)
        and conv.groups == 1
        and conv.padding_mode == "zeros"
        and not isinstance(conv.padding, str)
        and max(conv.padding) < _TAPS
        and conv.weight.dtype in (torch.float32, torch.float64)  # the transforms lose a digit: too many of a half's
        and min(conv.in_channels, conv.out_channels) >= _NARROW
    )


class InputGradient:
    """Maps gradients at a convolution's outputs to gradients at its inputs.

    Args:
        conv: one that `covers` agrees to.
        scratch: shared by convolutions that are never at work at the same time.
    """

    def __init__(self, conv: nn.Conv2d, scratch: Scratch) -> None:
        self._conv = conv
        self._scratch = scratch
        weight = conv.weight.detach()
        self._to_tile, to_filter, self._from_tile = (m.to(weight) for m in transforms(TILE))
        # The gradient is a correlation with the kernels turned by half a circle, from c_out channels to c_in.
        turned = weight.flip(2, 3).permute(2, 3, 0, 1).reshape(_TAPS**2, -1)
        self._filters = (to_filter @ turned).view(_SPAN**2, conv.out_channels, conv.in_channels)

    def __call__(self, delta: Tensor, out: Tensor) -> None:
        """Writes the gradients at the inputs.

        Args:
            delta: gradients at the outputs, (n, h, w, c_out), contiguous.
            out: where those at the inputs go, (n, h_in, w_in, c_in), contiguous.
        """
        tiles = math.ceil(out.shape[1] / TILE), math.ceil(out.shape[2] / TILE)
        a_map = _SPAN**2 * math.prod(tiles) * delta.shape[-1] * delta.element_size()
        at_once = max(1, bytes_at_once(delta.device) // a_map)
        for some, into in zip(torch.split(delta, at_once), torch.split(out, at_once), strict=True):
            self._transform(some, into, tiles)

    def _transform(self, delta: Tensor, out: Tensor, tiles: tuple[int, int]) -> None:
        n, c_out = delta.shape[0], delta.shape[-1]
        c_in = out.shape[-1]
        places, spots = _SPAN**2, n * math.prod(tiles)
        spans = self._scratch.take("spans", (_SPAN, _SPAN, n, *tiles, c_out), delta)
        spans.copy_(self._spans(delta, tiles))
        moved = self._scratch.take("moved", (places, spots * c_out), delta)
        torch.mm(self._to_tile, spans.view(places, -1), out=moved)
        products = self._scratch.take("products", (places, spots, c_in), delta)
        torch.bmm(moved.view(places, spots, c_out), self._filters, out=products)
        pixels = self._scratch.take("pixels", (TILE**2, spots * c_in), delta)
        torch.mm(self._from_tile, products.view(places, -1), out=pixels)
        whole = pixels.view(TILE, TILE, n, *tiles, c_in).permute(2, 3, 0, 4, 1, 5)
        rows, columns = out.shape[1:3]
        if (rows, columns) == (TILE * tiles[0], TILE * tiles[1]):
            out.view(whole.shape).copy_(whole)
        else:
            out.copy_(whole.flatten(3, 4).flatten(1, 2)[:, :rows, :columns])

    def _spans(self, delta: Tensor, tiles: tuple[int, int]) -> Tensor:
        """A view of the input of each tile, overlapping ones: (span, span, n, tiles down, tiles across, c_out)."""
        n, height, width, c_out = delta.shape
        top, left = (_TAPS - 1 - p for p in _padding(self._conv))
        padded = self._scratch.take(
            "padded", (n, TILE * tiles[0] + _TAPS - 1, TILE * tiles[1] + _TAPS - 1, c_out), delta
        )
        padded.zero_()
        padded[:, top : top + height, left : left + width] = delta
        s_map, s_row, s_column, _ = padded.stride()
        return padded.as_strided(
            (_SPAN, _SPAN, n, *tiles, c_out), (s_row, s_column, s_map, TILE * s_row, TILE * s_column, 1)
        )


def _padding(conv: nn.Conv2d) -> tuple[int, int]:
    assert not isinstance(conv.padding, str)
    down, across = conv.padding
    return down, across


def _input_size(conv: nn.Conv2d, height: int, width: int) -> tuple[int, int]:
    down, across = _padding(conv)
    return height + _TAPS - 1 - 2 * down, width + _TAPS - 1 - 2 * across


@cache
def transforms(tile: int) -> tuple[Tensor, Tensor, Tensor]:
    """B^T, G and A^T of Cook and Toom, each as its Kronecker square: what works on both axes of a tile at once.

    Args:
        tile: outputs of a tile a side, 2 or 4.

    Returns:
        Float64, shapes (s^2, s^2), (s^2, 9) and (tile^2, s^2) with s = tile + 2.
    """
    points = np.array(_POINTS[tile])
    span = tile + _TAPS - 1
    others = [np.delete(points, j) for j in range(len(points))]
    to_tile = np.zeros((span, span))
    to_filter = np.zeros((span, _TAPS))
    from_tile = np.zeros((tile, span))
    for j, (point, rest) in enumerate(zip(points, others, strict=True)):
        to_tile[j, :-1] = polynomial.polyfromroots(rest)
        to_filter[j] = point ** np.arange(_TAPS) / np.prod(point - rest)
        from_tile[:, j] = point ** np.arange(tile)
    to_tile[-1] = polynomial.polyfromroots(points)
    to_filter[-1, -1] = from_tile[-1, -1] = 1.0  # the point at infinity
    squares = [torch.from_numpy(np.kron(m, m)) for m in (to_tile, to_filter, from_tile)]
    return squares[0], squares[1], squares[2]
