"""A convolution in bfloat16 by the library, piece by piece, in channels-last memory.

On a processor with AMX the library comes near the rate of matrix products where maps are large. Each call of it also
orders the weights anew, which is most of its time where a batch has few places for so many filters: there products
with patches are the faster way, for the gradient of the weight first.
"""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor, nn

from agopconsole.backend.patch_products import PatchProducts, serves, suits
from agopconsole.backend.piecewise import Layout
from agopconsole.backend.scratch import Scratch
from agopconsole.backend.tiled_maps import as_tiles

_BYTES_AT_ONCE = 8 << 20
_FEW, _SOME = 4, 16
"""Places of a batch for each filter, up to which products with patches are faster: all three, or one of them."""


def bfloat16_layout(conv: nn.Conv2d, maps: Tensor, *, pool: bool, scratch: Scratch) -> Layout | None:
    """The fastest way of a convolution in bfloat16, or None where that is the library's own.

    Args:
        conv: any convolution.
        maps: its inputs, (n, c_in, h, w).
        pool: whether windows of 2 x 2 follow, whose largest values alone are wanted.
        scratch: memory to work in.
    """
    if not serves(conv):
        return None
    assert not isinstance(conv.padding, str)
    down, across = conv.padding
    k_h, k_w = conv.kernel_size
    places = len(maps) * (maps.shape[2] + 2 * down - k_h + 1) * (maps.shape[3] + 2 * across - k_w + 1)
    tile = 2 if pool else 1
    if suits(conv, maps) or places <= _FEW * conv.out_channels:
        return partial(PatchProducts, padding=(down, across), tile=tile, scratch=scratch)
    patches = places <= _SOME * conv.out_channels
    if not pool and not patches:
        return None
    return partial(LibraryProducts, padding=(down, across), tile=tile, scratch=scratch, patches=patches)


class LibraryProducts:
    """The `Way` of one convolution of stride 1 which leaves its products to the library.

    Args:
        maps: (n, h, w, c_in).
        weight: (c_out, c_in, k_h, k_w).
        padding: rings of zeros, above and below, left and right, fewer than the kernel's sides.
        tile: side of the tiles that the outputs are cut into, 1 or 2.
        scratch: memory to work in, shared by convolutions that are never at work at the same time.
        patches: whether the gradient of the weight is a product with patches.
    """

    def __init__(
        self, maps: Tensor, weight: Tensor, *, padding: tuple[int, int], tile: int, scratch: Scratch, patches: bool
    ) -> None:
        self._weight, self._padding = weight, padding
        self._products = PatchProducts(maps, weight, padding=padding, tile=tile, scratch=scratch)
        self._patches, self._tile = patches, tile
        self.size = self._products.size
        a_map = max(maps[0].numel(), math.prod(self.size) * len(weight)) * maps.element_size()
        self.at_once = max(1, _BYTES_AT_ONCE // a_map)
        self._of_weight: Tensor | None = None

    def outputs(self, maps: Tensor) -> Tensor:
        """See `Way`."""
        out = torch.conv2d(_channels_first(maps), self._weight, padding=self._padding)
        return as_tiles(out.permute(0, 2, 3, 1).contiguous(), self._tile)

    def room(self, n: int) -> Tensor:
        """See `Way`."""
        return self._products.room(n)

    def back(self, maps: Tensor, delta: Tensor, of_maps: Tensor | None, *, weight: bool) -> None:
        """See `Way`."""
        if weight and self._patches:
            self._products.back(maps, delta, None, weight=True)
            weight = False
        if of_maps is None and not weight:
            return
        rows = delta.permute(2, 3, 0, 4, 1, 5).view(len(maps), *self.size, -1)  # of what `room` gave
        found_maps, found_weight, _ = torch.ops.aten.convolution_backward(
            _channels_first(rows),
            _channels_first(maps),
            self._weight,
            None,
            [1, 1],
            list(self._padding),
            [1, 1],
            False,
            [0, 0],
            1,
            [of_maps is not None, weight, False],
        )
        if of_maps is not None:
            of_maps.copy_(found_maps.permute(0, 2, 3, 1))
        if weight:
            if self._of_weight is None:
                self._of_weight = torch.zeros_like(
                    found_weight, dtype=torch.promote_types(found_weight.dtype, torch.float32)
                )
            self._of_weight += found_weight  # in float32, as within a product

    def weight_gradient(self) -> Tensor:
        """See `Way`."""
        if self._patches:
            return self._products.weight_gradient()
        assert self._of_weight is not None
        return self._of_weight


def _channels_first(maps: Tensor) -> Tensor:
    """(n, c, h, w), the memory as it is."""
    return maps.permute(0, 3, 1, 2)
