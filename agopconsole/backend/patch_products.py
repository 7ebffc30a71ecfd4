"""A convolution of few channels as products with its unfolded patches: the first layer of a network for pictures."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from agopconsole.backend.scratch import Scratch

_WIDEST = 64
_BYTES_AT_ONCE = 16 << 20


def suits(conv: nn.Conv2d, maps: Tensor) -> bool:
    """Whether products with patches are the faster way: short ones, at inputs whose gradient nobody wants.

    Args:
        conv: any convolution.
        maps: its inputs, (n, c_in, h, w).
    """
    kernel = conv.kernel_size[0] * conv.kernel_size[1]
    return (
        conv.stride == (1, 1)
        and conv.dilation == (1, 1)
        and conv.groups == 1
        and conv.padding_mode == "zeros"
        and not isinstance(conv.padding, str)
        and conv.in_channels * kernel <= _WIDEST
        and not maps.requires_grad
    )


class PatchProducts:
    """The `Way` of one convolution with d = c_in k_h k_w weights a filter, of maps whose gradient nobody wants.

    Args:
        maps: (n, h, w, c_in).
        weight: (c_out, c_in, k_h, k_w).
        padding: rings of zeros, above and below, left and right.
        tile: side of the tiles that the outputs are cut into, 1 or 2.
        scratch: memory to work in, shared by convolutions that are never at work at the same time, under the names
            that the filtering gives it, so that a network holds it once.
    """

    def __init__(
        self, maps: Tensor, weight: Tensor, *, padding: tuple[int, int], tile: int, scratch: Scratch
    ) -> None:
        self._weight, self._padding, self._tile, self._scratch = weight, padding, tile, scratch
        self._kernel = weight.shape[2], weight.shape[3]
        _, height, width, _ = maps.shape
        self.size = height + 2 * padding[0] - self._kernel[0] + 1, width + 2 * padding[1] - self._kernel[1] + 1
        a_map = self.size[0] * self.size[1] * max(len(weight), weight[0].numel()) * maps.element_size()
        self.at_once = max(1, _BYTES_AT_ONCE // a_map)
        self._filters = weight.permute(0, 2, 3, 1).flatten(1)
        self._of_filters = torch.zeros_like(self._filters)

    def outputs(self, maps: Tensor) -> Tensor:
        """See `Way`."""
        tiles = self.room(len(maps))
        torch.mm(self._patches(maps), self._filters.mT, out=self._rows(tiles))
        return tiles

    def room(self, n: int) -> Tensor:
        """See `Way`."""
        height, width = self.size
        c_out, m = len(self._weight), self._tile
        whole = self._scratch.take("products", (n, height // m, m, width // m, m, c_out), self._weight)
        return whole.permute(2, 4, 0, 1, 3, 5)

    def back(self, maps: Tensor, delta: Tensor, of_maps: Tensor | None, *, weight: bool) -> None:
        """See `Way`; `of_maps` is None."""
        assert of_maps is None
        if weight:
            self._of_filters.addmm_(self._rows(delta).mT, self._patches(maps))

    def weight_gradient(self) -> Tensor:
        """See `Way`."""
        c_out, c_in = self._weight.shape[:2]
        return self._of_filters.view(c_out, *self._kernel, c_in).permute(0, 3, 1, 2).contiguous()

    def _rows(self, tiles: Tensor) -> Tensor:
        """(n h_out w_out, c_out), of what `room` gave."""
        return tiles.permute(2, 3, 0, 4, 1, 5).view(-1, len(self._weight))

    def _patches(self, maps: Tensor) -> Tensor:
        """(n h_out w_out, d), the channels last in each patch."""
        n, height, width, c = maps.shape
        top, left = self._padding
        padded = self._scratch.take("seen", (n, height + 2 * top, width + 2 * left, c), maps).zero_()
        padded[:, top : top + height, left : left + width] = maps
        s_map, s_row, s_column, _ = padded.stride()
        shape = n, *self.size, *self._kernel, c
        patches = self._scratch.take("spans", shape, maps)
        patches.copy_(padded.as_strided(shape, (s_map, s_row, s_column, s_row, s_column, 1)))
        return patches.view(-1, self._filters.shape[1])
