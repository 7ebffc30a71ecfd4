"""The patches of maps as rows of a matrix, channels last in each patch."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from agopconsole.backend.scratch import Scratch

_WIDE = 128
"""Bytes of a place's channels from which on a gather of whole places is faster than a copy by strides."""


def unfold(maps: Tensor, kernel: tuple[int, int], padding: tuple[int, int], scratch: Scratch) -> Tensor:
    """The patches of a convolution of stride 1.

    Args:
        maps: (n, h, w, c), contiguous.
        kernel: height and width of a patch.
        padding: rings of zeros, above and below, left and right, fewer than the kernel's sides.
        scratch: memory to work in, under the names `seen` and `spans`.

    Returns:
        (places, k_h k_w c), in memory that the next call uses again.
    """
    n, height, width, c = maps.shape
    size = height + 2 * padding[0] - kernel[0] + 1, width + 2 * padding[1] - kernel[1] + 1
    patches = scratch.take("spans", (n, *size, *kernel, c), maps)
    if c * maps.element_size() >= _WIDE:
        rows = scratch.take("seen", (n * height * width + 1, c), maps)
        rows[:-1] = maps.view(-1, c)
        rows[-1] = 0
        torch.index_select(rows, 0, _taps(n, height, width, kernel, padding), out=patches.view(-1, c))
    else:
        (top, left), (k_h, k_w) = padding, kernel
        padded = scratch.take("seen", (n, height + 2 * top, width + 2 * left, c), maps).zero_()
        padded[:, top : top + height, left : left + width] = maps
        s_map, s_row, s_column, _ = padded.stride()
        patches.copy_(padded.as_strided((n, *size, k_h, k_w, c), (s_map, s_row, s_column, s_row, s_column, 1)))
    return patches.view(-1, kernel[0] * kernel[1] * c)


@functools.lru_cache(maxsize=64)
def _taps(n: int, height: int, width: int, kernel: tuple[int, int], padding: tuple[int, int]) -> Tensor:
    """For each tap of each patch the place it sees, of (n, h, w) in order; beyond the edges the one after them."""
    top, left = padding
    places = torch.full((n, height + 2 * top, width + 2 * left), n * height * width, dtype=torch.int32)
    inside = torch.arange(n * height * width, dtype=torch.int32).view(n, height, width)
    places[:, top : top + height, left : left + width] = inside
    return places.unfold(1, kernel[0], 1).unfold(2, kernel[1], 1).flatten()
