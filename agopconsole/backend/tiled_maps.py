"""Maps cut into tiles: (n, h, w, c) in memory, (m, m, n, t_h, t_w, c) to work on, places in a tile first."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from torch import Tensor


def as_tiles(maps: Tensor, tile: int) -> Tensor:
    """Maps whose sides are multiples of `tile`, as a view of their tiles."""
    n, rows, columns, c = maps.shape
    return maps.view(n, rows // tile, tile, columns // tile, tile, c).permute(2, 4, 0, 1, 3, 5)


@contextlib.contextmanager
def written_tiles(out: Tensor, shape: tuple[int, ...]) -> Iterator[Tensor]:
    """Tiles of that shape for the body to fill, which make up `out`, (n, h, w, c), in the end.

    They are `out` itself where its sides are multiples of theirs; else what is beyond its edges is left out.
    """
    tile, _, n, t_h, t_w, c = shape
    if tuple(out.shape[1:3]) == (tile * t_h, tile * t_w):
        yield as_tiles(out, tile)
    else:
        whole = out.new_empty(n, tile * t_h, tile * t_w, c)
        yield as_tiles(whole, tile)
        out.copy_(whole[:, : out.shape[1], : out.shape[2]])


def read_tiles(maps: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The tiles of `maps`, (n, h, w, c), of that shape: a view where they fit, else zero beyond the edges."""
    tile, _, n, t_h, t_w, c = shape
    if tuple(maps.shape[1:3]) != (tile * t_h, tile * t_w):
        whole = maps.new_zeros(n, tile * t_h, tile * t_w, c)
        whole[:, : maps.shape[1], : maps.shape[2]] = maps
        maps = whole
    return as_tiles(maps, tile)
