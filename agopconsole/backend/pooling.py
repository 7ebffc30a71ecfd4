"""Max-pooling by windows of 2 x 2 in maps cut into tiles: the largest of each window, where it was, and back."""

from __future__ import annotations

import torch
from torch import Tensor


def largest(tiles: Tensor, out: Tensor) -> None:
    """Writes the largest of each window.

    Args:
        tiles: (m, m, ...), m even: rows and columns of a tile first.
        out: (m / 2, m / 2, ...).
    """
    windows = _windows(tiles)
    torch.amax(torch.maximum(windows[:, 0], windows[:, 1]), 2, out=out)


def largest_and_place(tiles: Tensor, out: Tensor, places: Tensor) -> None:
    """`largest`, and in which of its four places each was found, counted by rows; of equals the first, as in torch.

    Args:
        tiles: (m, m, ...), m even.
        out: (m / 2, m / 2, ...).
        places: as `out`, of the tiles' type or uint8.
    """
    windows = _windows(tiles)
    (a, b), (c, d) = windows[:, 0].unbind(2), windows[:, 1].unbind(2)
    above, below = torch.maximum(a, b), torch.maximum(c, d)
    # Into memory of their own type comparisons are several times faster than into masks, in bfloat16.
    in_lower, in_right, right_of_lower = torch.empty_like(a), torch.empty_like(a), torch.empty_like(a)
    torch.gt(below, above, out=in_lower)
    torch.gt(b, a, out=in_right)
    torch.gt(d, c, out=right_of_lower)
    torch.maximum(above, below, out=out)
    # in_right where not in_lower, else 2 + right_of_lower; `where` is several times slower.
    found = right_of_lower.sub_(in_right).add_(2).mul_(in_lower)
    if places.dtype == found.dtype:
        torch.add(found, in_right, out=places)
    else:
        places.copy_(found.add_(in_right))


def spread(delta: Tensor, places: Tensor, out: Tensor) -> None:
    """Writes gradients at the largest of each window to where that was, and zeros elsewhere.

    Args:
        delta: (m / 2, m / 2, ...).
        places: as `largest_and_place` gives them.
        out: (m, m, ...).
    """
    windows = _windows(out)
    found = places.to(delta.dtype)  # once: a product with a mask of another type would convert each mask
    here = torch.empty(delta.shape, dtype=delta.dtype, device=delta.device)
    for place in range(4):
        torch.eq(found, place, out=here)
        torch.mul(delta, here, out=windows[:, place // 2, :, place % 2])


def _windows(tiles: Tensor) -> Tensor:
    """(m / 2, 2, m / 2, 2, ...), a view."""
    rows, columns, *rest = tiles.shape
    s_row, s_column, *strides = tiles.stride()
    shape = rows // 2, 2, columns // 2, 2, *rest
    return tiles.as_strided(shape, (2 * s_row, s_row, 2 * s_column, s_column, *strides), tiles.storage_offset())
