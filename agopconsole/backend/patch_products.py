"""A convolution as products with its unfolded patches: a first layer's, and in bfloat16 those of small maps, too."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from agopconsole.backend.scratch import Scratch
from agopconsole.backend.unfold import unfold

_WIDEST = 64
_BYTES_AT_ONCE = 16 << 20
_COLUMNS_AT_ONCE = 256
"""Of a product in bfloat16: for 1,024 rows by 512 columns the library takes twice as long as for their halves."""


def suits(conv: nn.Conv2d, maps: Tensor) -> bool:
    """Whether products with patches are the faster way: short ones, at inputs whose gradient nobody wants.

    Args:
        conv: any convolution.
        maps: its inputs, (n, c_in, h, w).
    """
    return serves(conv) and conv.weight[0].numel() <= _WIDEST and not maps.requires_grad


def serves(conv: nn.Conv2d) -> bool:
    """Whether the products here are those of such a convolution: of stride 1, without dilation and groups."""
    return (
        conv.stride == (1, 1)
        and conv.dilation == (1, 1)
        and conv.groups == 1
        and conv.padding_mode == "zeros"
        and not isinstance(conv.padding, str)
        and all(rings < side for rings, side in zip(conv.padding, conv.kernel_size, strict=True))
    )


class PatchProducts:
    """The `Way` of one convolution with d = c_in k_h k_w weights a filter.

    Args:
        maps: (n, h, w, c_in).
        weight: (c_out, c_in, k_h, k_w).
        padding: rings of zeros, above and below, left and right, fewer than the kernel's sides.
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
        self._of_filters: Tensor | None = None
        self._turned: Tensor | None = None

    def outputs(self, maps: Tensor) -> Tensor:
        """See `Way`."""
        tiles = self.room(len(maps))
        _multiply(unfold(maps, self._kernel, self._padding, self._scratch), self._filters.mT, self._rows(tiles))
        return tiles

    def room(self, n: int) -> Tensor:
        """See `Way`."""
        height, width = self.size
        c_out, m = len(self._weight), self._tile
        whole = self._scratch.take("products", (n, height // m, m, width // m, m, c_out), self._weight)
        return whole.permute(2, 4, 0, 1, 3, 5)

    def back(self, maps: Tensor, delta: Tensor, of_maps: Tensor | None, *, weight: bool) -> None:
        """See `Way`."""
        rows = self._rows(delta)
        if weight:
            self._add_to_filters(rows.mT, unfold(maps, self._kernel, self._padding, self._scratch))
        if of_maps is not None:
            around = self._kernel[0] - 1 - self._padding[0], self._kernel[1] - 1 - self._padding[1]
            seen = unfold(rows.view(len(maps), *self.size, -1), self._kernel, around, self._scratch)
            _multiply(seen, self._turned_filters(), of_maps.view(-1, of_maps.shape[-1]))

    def weight_gradient(self) -> Tensor:
        """See `Way`."""
        assert self._of_filters is not None
        c_out, c_in = self._weight.shape[:2]
        return self._of_filters.view(c_out, *self._kernel, c_in).permute(0, 3, 1, 2)

    def _add_to_filters(self, delta: Tensor, patches: Tensor) -> None:
        """The sum over the pieces is kept in float32 or more, as that within a product is."""
        if self._of_filters is None:
            self._of_filters = delta @ patches
        elif self._of_filters.dtype == torch.bfloat16:
            self._of_filters = self._of_filters.float().add_(delta @ patches)
        elif delta.dtype == torch.bfloat16:
            self._of_filters.add_(delta @ patches)
        else:
            self._of_filters.addmm_(delta, patches)

    def _turned_filters(self) -> Tensor:
        """(k_h k_w c_out, c_in): the gradient of maps is a correlation with the kernels turned by half a circle."""
        if self._turned is None:
            self._turned = torch.cat(self._weight.flatten(2).unbind(2)[::-1])
        return self._turned

    def _rows(self, tiles: Tensor) -> Tensor:
        """(n h_out w_out, c_out), of what `room` gave."""
        return tiles.permute(2, 3, 0, 4, 1, 5).view(-1, len(self._weight))


def _multiply(rows: Tensor, matrix: Tensor, out: Tensor) -> None:
    """Writes the product of two matrices to `out`."""
    columns = _COLUMNS_AT_ONCE if out.dtype == torch.bfloat16 else out.shape[1]
    for part, product in zip(torch.split(matrix, columns, 1), torch.split(out, columns, 1), strict=True):
        torch.mm(rows, part, out=product)
