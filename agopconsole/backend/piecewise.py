"""A convolution, and the 2 x 2 max-pooling that may follow it, in pieces of a batch that stay in the caches.

The maps before the pooling, a network's largest, are never in memory as a whole: only what is left of them is kept,
and in which of the four places of a window it was. What a piece goes through is a `Way`.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from agopconsole.backend.pooling import largest, largest_and_place, spread
from agopconsole.backend.tiled_maps import read_tiles, written_tiles


class Way(Protocol):
    """How one convolution of maps (n, h, w, c_in) is computed, a piece of the batch at a time, forward or back.

    Attributes:
        size: height and width of the outputs.
        at_once: images of a piece.
    """

    size: tuple[int, int]
    at_once: int

    def outputs(self, maps: Tensor) -> Tensor:
        """The outputs without bias of a piece, in tiles (m, m, n, t_h, t_w, c_out), in memory that is used again."""

    def room(self, n: int) -> Tensor:
        """Memory for the gradients at such outputs; nothing else of the way uses it."""

    def back(self, maps: Tensor, delta: Tensor, of_maps: Tensor | None, *, weight: bool) -> None:
        """Takes the gradients at a piece's outputs, in `room`, back to its maps and adds to the weight's gradient.

        Args:
            maps: the piece, (n, h, w, c_in).
            delta: gradients at its outputs, in tiles.
            of_maps: where the gradients at the maps go, (n, h, w, c_in); None if they are not wanted.
            weight: whether the weight's gradient is wanted.
        """

    def weight_gradient(self) -> Tensor:
        """The sum over the pieces so far, of the shape of the weight, of its type or wider."""


class Layout(Protocol):
    """Makes the `Way` of maps (n, h, w, c_in) and a weight (c_out, c_in, kh, kw)."""

    def __call__(self, maps: Tensor, weight: Tensor) -> Way:
        """The way, with nothing computed yet."""


def convolve(maps: Tensor, weight: Tensor, bias: Tensor | None, layout: Layout, *, pool: bool) -> Tensor:
    """The outputs of a convolution, pooled or not, which autograd can follow once.

    Args:
        maps: (n, c_in, h, w), best in channels-last memory.
        weight: (c_out, c_in, kh, kw); of the maps' type, or wider and rounded to it.
        bias: (c_out,) or None.
        layout: how it is computed; its tiles are of even sides, and the outputs too, if there is pooling.
        pool: whether windows of 2 x 2 follow, whose largest values alone are wanted.

    Returns:
        Shape (n, c_out, h_out, w_out), in channels-last memory.
    """
    out: Tensor = _Convolution.apply(maps, weight, bias, layout, pool, torch.is_grad_enabled())
    return out


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, maps: Tensor, weight: Tensor, bias: Tensor | None, layout: Layout, pool: bool, keep: bool
    ) -> Tensor:
        rows, filters = _channels_last(maps), weight.to(maps.dtype)
        way = layout(rows, filters)
        height, width = (side // 2 for side in way.size) if pool else way.size
        # No view: a ReLU may work in place on what comes out.
        shape = len(maps), len(weight), height, width
        out = torch.empty(shape, dtype=maps.dtype, device=maps.device, memory_format=torch.channels_last)
        # A byte more than needed in bfloat16, and no conversion forth and back.
        of_places = maps.dtype if maps.dtype == torch.bfloat16 else torch.uint8
        places = torch.empty((len(maps), height, width, len(weight)), dtype=of_places) if pool and keep else None
        whole = out.permute(0, 2, 3, 1)
        for start in range(0, len(rows), way.at_once):
            piece = slice(start, start + way.at_once)
            tiles = way.outputs(rows[piece])
            if pool:
                _pool(tiles, bias, whole[piece], None if places is None else places[piece])
            else:
                with written_tiles(whole[piece], tuple(tiles.shape)) as final:
                    final.copy_(tiles) if bias is None else torch.add(tiles, bias, out=final)
        ctx.save_for_backward(rows, filters, places)
        ctx.layout, ctx.of_weight = layout, weight.dtype
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, delta: Tensor) -> tuple[Tensor | None, ...]:
        rows, filters, places = ctx.saved_tensors
        way: Way = ctx.layout(rows, filters)
        wants_maps, wants_weight, wants_bias, *_ = ctx.needs_input_grad
        delta = _channels_last(delta)
        of_maps = torch.empty_like(rows) if wants_maps else None
        for start in range(0, len(rows), way.at_once):
            piece = slice(start, start + way.at_once)
            maps = rows[piece]
            room = way.room(len(maps))
            if places is None:
                room.copy_(read_tiles(delta[piece], tuple(room.shape)))
            else:
                half = _halved(room)
                spread(read_tiles(delta[piece], half), read_tiles(places[piece], half), room)
            way.back(maps, room, None if of_maps is None else of_maps[piece], weight=wants_weight)
        of_weight = way.weight_gradient().to(ctx.of_weight) if wants_weight else None
        of_bias = delta.flatten(0, 2).sum(0) if wants_bias else None
        return None if of_maps is None else of_maps.permute(0, 3, 1, 2), of_weight, of_bias, None, None, None


def _pool(tiles: Tensor, bias: Tensor | None, out: Tensor, places: Tensor | None) -> None:
    """Writes the largest of the tiles' windows, and their places if there is room for them."""
    # The sum in float32 may make two values equal, of which the first is the largest: it is taken before.
    early = tiles.dtype != torch.bfloat16
    if bias is not None and early:
        tiles.add_(bias)
    with written_tiles(out, _halved(tiles)) as final:
        if places is None:
            largest(tiles, final)
        else:
            with written_tiles(places, _halved(tiles)) as found:
                largest_and_place(tiles, final, found)
    if bias is not None and not early:
        out.add_(bias)


def _halved(tiles: Tensor) -> tuple[int, ...]:
    """The shape of tiles pooled by windows of 2 x 2."""
    rows, columns, *rest = tiles.shape
    return rows // 2, columns // 2, *rest


def _channels_last(maps: Tensor) -> Tensor:
    """(n, h, w, c), contiguous."""
    return maps.permute(0, 2, 3, 1).contiguous()
