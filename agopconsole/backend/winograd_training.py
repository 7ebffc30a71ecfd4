"""Winograd's minimal filtering for 3 x 3 convolutions that train: outputs and both gradients.

The outputs of a tile of m x m are `A^T [U * (B^T d B)] A`, with `d` the (m + 2)^2 inputs they see and `U = G g G^T`
the transformed filters (Lavin and Gray 2016, arXiv:1509.09308). Everything is linear, so both gradients are the same
products transposed. As in `winograd.py` the maps are channels-last and each transform is one product with a Kronecker
square; the channels meet in a batched product, a factor for each of the (m + 2)^2 places of a tile.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import cached_property

import torch
from torch import Tensor, nn

from agopconsole.backend.scratch import Scratch
from agopconsole.backend.winograd import serves, transforms

_TILES = (4, 2)
_TAPS = 3
_FEWEST_TILES = 32
_LEAST_REUSE = 40
_BYTES_AT_ONCE = 16 << 20
"""Of the largest map that is held transformed: more leaves the caches, less wastes the products on small pieces."""


def tile_for(conv: nn.Conv2d, maps: Tensor) -> int | None:
    """The side of the tiles that take the fewest multiplications, or None where the library is as good.

    Args:
        conv: any convolution.
        maps: its inputs, (n, c_in, h, w).
    """
    if not serves(conv):
        return None
    assert not isinstance(conv.padding, str)
    n, _, *size = maps.shape
    sides = [side + 2 * padding - _TAPS + 1 for side, padding in zip(size, conv.padding, strict=True)]
    tiles = {tile: math.prod(math.ceil(side / tile) for side in sides) for tile in _TILES}
    best = min(_TILES, key=lambda tile: tiles[tile] * (tile + _TAPS - 1) ** 2)
    saves = 2 * tiles[best] * (best + _TAPS - 1) ** 2 < math.prod(sides) * _TAPS**2
    # With few tiles the transformed filters, up to four times as large as the plain ones, cost more than they save;
    # with few channels the transforms of the maps do.
    pays = conv.in_channels * conv.out_channels >= _LEAST_REUSE * (conv.in_channels + conv.out_channels)
    return best if saves and pays and n * tiles[best] >= _FEWEST_TILES else None


class Filtering:
    """The `Way` of one convolution: maps cut into t_h x t_w tiles, of which each sees s x s inputs.

    Args:
        maps: (n, h, w, c_in).
        weight: (c_out, c_in, 3, 3).
        padding: rings of zeros, above and below, left and right.
        tile: m, outputs of a tile a side.
        scratch: memory to work in, shared by convolutions that are never at work at the same time.
    """

    def __init__(
        self, maps: Tensor, weight: Tensor, *, padding: tuple[int, int], tile: int, scratch: Scratch
    ) -> None:
        self._weight, self._padding, self._tile, self._scratch = weight, padding, tile, scratch
        self._c_out, self._c_in = weight.shape[:2]
        _, height, width, _ = maps.shape
        self.size = height + 2 * padding[0] - _TAPS + 1, width + 2 * padding[1] - _TAPS + 1
        self._tiles = math.ceil(self.size[0] / tile), math.ceil(self.size[1] / tile)
        self._span = tile + _TAPS - 1
        self._places, self._spots = self._span**2, math.prod(self._tiles)
        self._to_tile, self._to_filter, self._from_tile = (matrix.to(weight) for matrix in transforms(tile))
        widest = self._places * self._spots * max(self._c_in, self._c_out) * maps.element_size()
        self.at_once = max(1, _BYTES_AT_ONCE // widest)
        self._in_one = len(maps) <= self.at_once
        self._of_filters: Tensor | None = None
        self._of_weight: Tensor | None = None

    def outputs(self, maps: Tensor) -> Tensor:
        """See `Way`."""
        seen = self._seen(maps)
        products = self._take("products", self._places, seen.shape[1], self._c_out)
        torch.bmm(seen, self._filters.mT, out=products)
        tiles = self.room(len(maps))
        torch.mm(self._from_tile, products.flatten(1), out=tiles.view(self._tile**2, -1))
        return tiles

    def room(self, n: int) -> Tensor:
        """See `Way`."""
        # What tiles see is done with when outputs are written, and not looked at before their gradients are read.
        return self._take("seen", self._tile, self._tile, n, *self._tiles, self._c_out)

    def back(self, maps: Tensor, delta: Tensor, of_maps: Tensor | None, *, weight: bool) -> None:
        """See `Way`."""
        moved = self._take("products", self._places, len(maps) * self._spots, self._c_out)
        torch.mm(self._from_tile.mT, delta.view(self._tile**2, -1), out=moved.flatten(1))
        if weight:
            first = self._of_filters is None
            if self._of_filters is None:
                # With one piece these are done with before the filters are needed; the largest have one.
                name = "filters" if self._in_one else "of filters"
                self._of_filters = self._take(name, self._places, self._c_out, self._c_in)
            self._of_filters.baddbmm_(moved.mT, self._seen(maps), beta=int(not first))
            if self._in_one:
                self._of_weight = self._contracted(self._of_filters)
        if of_maps is not None:
            seen = self._take("seen", self._places, moved.shape[1], self._c_in)
            self._gather(torch.bmm(moved, self._filters, out=seen), of_maps)

    def weight_gradient(self) -> Tensor:
        """See `Way`."""
        assert self._of_filters is not None
        return self._contracted(self._of_filters) if self._of_weight is None else self._of_weight

    def _contracted(self, of_filters: Tensor) -> Tensor:
        """From gradients at the transformed filters to those at the filters."""
        return (of_filters.flatten(1).mT @ self._to_filter).view_as(self._weight)

    def _take(self, name: str, *shape: int) -> Tensor:
        return self._scratch.take(name, shape, self._weight)

    @cached_property
    def _filters(self) -> Tensor:
        """Transformed: (s^2, c_out, c_in)."""
        filters = self._take("filters", self._places, self._c_out, self._c_in)
        torch.mm(self._to_filter, self._weight.reshape(-1, _TAPS**2).mT, out=filters.flatten(1))
        return filters

    def _seen(self, maps: Tensor) -> Tensor:
        """What each tile sees, transformed: (s^2, n t_h t_w, c_in)."""
        n, _, _, c = maps.shape
        spans = self._take("spans", self._span, self._span, n, *self._tiles, c)
        whole = range(self._span)
        for down, rows in self._inside(maps, 0, whole):
            spans[down, :, :, : rows.start] = 0
            spans[down, :, :, rows.stop :] = 0
        for across, columns in self._inside(maps, 1, whole):
            spans[:, across, :, :, : columns.start] = 0
            spans[:, across, :, :, columns.stop :] = 0
        for part, seen_part in self._parts(spans, maps, whole, whole):
            part.copy_(seen_part)
        seen = self._take("seen", self._places, n * self._spots, c)
        torch.mm(self._to_tile, spans.view(self._places, -1), out=seen.flatten(1))
        return seen

    def _gather(self, seen: Tensor, out: Tensor) -> None:
        """Adds up the gradients of what tiles see, where they overlap too, and takes the padding off."""
        n, m = len(out), self._tile
        spans = self._take("spans", self._span, self._span, n, *self._tiles, self._c_in)
        torch.mm(self._to_tile.mT, seen.flatten(1), out=spans.view(self._places, -1))
        # Behind the tiles' own m x m places there are only sums of the places beyond.
        out[:, max(0, m * self._tiles[0] - self._padding[0]) :] = 0
        out[:, :, max(0, m * self._tiles[1] - self._padding[1]) :] = 0
        own, beyond = range(m), range(m, self._span)
        for part, place in self._parts(spans, out, own, own):
            place.copy_(part)
        for down, across in ((beyond, own), (own, beyond), (beyond, beyond)):
            for part, place in self._parts(spans, out, down, across):
                place.add_(part)

    def _parts(self, spans: Tensor, maps: Tensor, down: range, across: range) -> Iterator[tuple[Tensor, Tensor]]:
        """Parts of what tiles see that are inside the maps, and the same places in the maps: views of one shape.

        Args:
            spans: (s, s, n, t_h, t_w, c).
            maps: (n, h, w, c).
            down: rows of a tile that are wanted.
            across: its columns.
        """
        s_map, s_row, s_column, _ = maps.stride()
        strides = s_row, s_column, s_map, self._tile * s_row, self._tile * s_column, 1
        top, left = self._padding
        for (i, rows), (j, columns) in itertools.product(self._inside(maps, 0, down), self._inside(maps, 1, across)):
            part = spans[i, j, :, rows, columns]
            if part.numel():
                row = rows.start * self._tile + i.start - top
                column = columns.start * self._tile + j.start - left
                start = maps.storage_offset() + row * s_row + column * s_column
                yield part, maps.as_strided(part.shape, strides, start)

    def _inside(self, maps: Tensor, axis: int, places: range) -> Iterator[tuple[slice, slice]]:
        """Places in a tile along an axis, 0 or 1, and the tiles whose such places are inside the maps."""
        side, padding, tiles = maps.shape[1 + axis], self._padding[axis], self._tiles[axis]

        def fitting(place: int) -> tuple[int, int]:
            first, last = math.ceil((padding - place) / self._tile), math.ceil((side + padding - place) / self._tile)
            return max(0, first), min(tiles, last)

        for (first, last), run in itertools.groupby(places, fitting):
            alike = list(run)
            yield slice(alike[0], alike[-1] + 1), slice(first, last)
