"""Max-pooling by windows of 2 x 2 in maps cut into tiles: the largest of each window, where it was, and back."""

from __future__ import annotations

import torch
from torch import Tensor


def largest(tiles: Tensor) -> Tensor:
    """The largest of each window.

    Args:
        tiles: (m, m, ...), m even: rows and columns of a tile first.

    Returns:
        Shape (m / 2, m / 2, ...).
    """
    windows = _windows(tiles)
    return torch.maximum(windows[:, 0], windows[:, 1]).amax(2)


def largest_and_place(tiles: Tensor) -> tuple[Tensor, Tensor]:
    """`largest`, and in which of its four places each was found, counted by rows; of equals the first, as in torch.

    Returns:
        Two tensors of shape (m / 2, m / 2, ...); the places are uint8.
    """
    windows = _windows(tiles)
    upper, lower = windows[:, 0], windows[:, 1]
    (a, b), (c, d) = upper.unbind(2), lower.unbind(2)
    above, below = torch.maximum(a, b), torch.maximum(c, d)
    in_lower = below > above
    in_right = torch.where(in_lower, d > c, b > a)
    return torch.maximum(above, below), in_lower.to(torch.uint8).mul_(2).add_(in_right)


def spread(delta: Tensor, places: Tensor, out: Tensor) -> None:
    """Writes gradients at the largest of each window to where that was, and zeros elsewhere.

    Args:
        delta: (m / 2, m / 2, ...).
        places: as `largest_and_place` gives them.
        out: (m, m, ...).
    """
    windows = _windows(out)
    for place in range(4):
        torch.mul(delta, places == place, out=windows[:, place // 2, :, place % 2])


def _windows(tiles: Tensor) -> Tensor:
    """(m / 2, 2, m / 2, 2, ...), a view."""
    rows, columns, *rest = tiles.shape
    s_row, s_column, *strides = tiles.stride()
    shape = rows // 2, 2, columns // 2, 2, *rest
    return tiles.as_strided(shape, (2 * s_row, s_row, 2 * s_column, s_column, *strides), tiles.storage_offset())
