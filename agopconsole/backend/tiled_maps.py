"""Maps cut into tiles: (n, h, w, c) in memory, (m, m, n, t_h, t_w, c) to work on, places in a tile first."""

from __future__ import annotations

from torch import Tensor


def as_tiles(maps: Tensor, tile: int) -> Tensor:
    """Maps whose sides are multiples of `tile`, as a view of their tiles."""
    n, rows, columns, c = maps.shape
    return maps.view(n, rows // tile, tile, columns // tile, tile, c).permute(2, 4, 0, 1, 3, 5)


def write_tiles(tiles: Tensor, out: Tensor) -> None:
    """Puts tiles together into `out`, (n, h, w, c); what is beyond its edges is left out."""
    tile, _, n, t_h, t_w, c = tiles.shape
    if tuple(out.shape[1:3]) == (tile * t_h, tile * t_w):
        as_tiles(out, tile).copy_(tiles)
    else:
        whole = tiles.permute(2, 3, 0, 4, 1, 5).reshape(n, tile * t_h, tile * t_w, c)
        out.copy_(whole[:, : out.shape[1], : out.shape[2]])


def read_tiles(maps: Tensor, out: Tensor) -> None:
    """Cuts `maps`, (n, h, w, c), into `out`; what is beyond their edges is zero."""
    tile, _, n, t_h, t_w, c = out.shape
    if tuple(maps.shape[1:3]) != (tile * t_h, tile * t_w):
        whole = maps.new_zeros(n, tile * t_h, tile * t_w, c)
        whole[:, : maps.shape[1], : maps.shape[2]] = maps
        maps = whole
    out.copy_(as_tiles(maps, tile))
