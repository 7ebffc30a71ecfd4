"""A network that trains faster on a CPU for the same result, while a `with` lasts.

Its modules, their names and their weights stay what they are; only how they are computed changes:

- a ReLU before a max-pooling changes places with it: the larger of two numbers can be taken before or after both are
  cut off at zero, and afterwards there are a quarter as many. Bit for bit the same, forward and back;
- on the CPU, in float32 and float64, 3 x 3 convolutions go by minimal filtering where that takes less than half the
  multiplications (`winograd_training`), and a first layer as products with its patches (`patch_products`); in
  bfloat16 products with patches and the library share the work (`library_products`). All of it together with
  the pooling behind it, and the same but for rounding: 1e-6 of a layer's outputs in float32, the library's own in
  bfloat16;
- in bfloat16 on the CPU a linear layer of many weights is not copied to be rounded (`rounded_products`).
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor, nn

from agopconsole.backend.library_products import bfloat16_layout
from agopconsole.backend.patch_products import PatchProducts, suits
from agopconsole.backend.piecewise import Layout, convolve
from agopconsole.backend.rounded_products import rounded_linear, suits_rounding
from agopconsole.backend.scratch import Scratch
from agopconsole.backend.winograd_training import Filtering, tile_for


@contextlib.contextmanager
def quickened(model: nn.Module) -> Iterator[None]:
    """Lets `model` compute what it computes faster, and puts it back in the end.

    Nothing else may use the model meanwhile but its own forward and backward passes.
    """
    lines = [module for module in model.modules() if isinstance(module, nn.Sequential)]
    swapped = [(line, at) for line in lines for at in _swaps(line)]
    for line, at in swapped:
        line[at], line[at + 1] = line[at + 1], line[at]
    scratch = Scratch()
    quick: dict[nn.Module, partial[Tensor]] = {
        module: partial(_convolution, module, None, scratch)
        for module in model.modules()
        if type(module) is nn.Conv2d and module.weight.device.type == "cpu"
    }
    quick |= {
        module: partial(_linear, module)
        for module in model.modules()
        if type(module) is nn.Linear and module.weight.device.type == "cpu"
    }
    for line in lines:
        for conv, pool in itertools.pairwise(line):
            if conv in quick and isinstance(conv, nn.Conv2d) and isinstance(pool, nn.MaxPool2d) and _halves(pool):
                quick |= {conv: partial(_convolution, conv, pool, scratch), pool: partial(_as_it_is)}
    try:
        for module, forward in quick.items():
            module.forward = forward
        yield
    finally:
        for module in quick:
            del module.forward
        for line, at in swapped:
            line[at], line[at + 1] = line[at + 1], line[at]


def _swaps(line: nn.Sequential) -> Iterator[int]:
    """Where a ReLU is followed by a max-pooling."""
    for at, (first, second) in enumerate(itertools.pairwise(line)):
        if type(first) is nn.ReLU and type(second) is nn.MaxPool2d and not second.return_indices:
            yield at


def _halves(pool: nn.MaxPool2d) -> bool:
    """Whether it is a pooling over windows of 2 x 2 that do not overlap."""
    return (
        type(pool) is nn.MaxPool2d
        and not pool.return_indices
        and [pool.kernel_size, pool.stride, pool.padding, pool.dilation]
        in ([2, 2, 0, 1], [(2, 2), (2, 2), (0, 0), (1, 1)])
    )


def _as_it_is(maps: Tensor) -> Tensor:
    return maps


def _convolution(conv: nn.Conv2d, pool: nn.MaxPool2d | None, scratch: Scratch, maps: Tensor) -> Tensor:
    """The outputs of a convolution and of the pooling behind it, in the fastest way there is for these maps."""
    if torch.is_autocast_enabled("cpu"):
        maps = maps.to(torch.get_autocast_dtype("cpu"))
    layout = _layout(conv, pool, scratch, maps)
    if layout is not None:
        bias = None if conv.bias is None else conv.bias.to(maps.dtype)
        return convolve(maps, conv.weight, bias, layout, pool=pool is not None)
    out = nn.Conv2d.forward(conv, maps)
    return out if pool is None else nn.MaxPool2d.forward(pool, out)


def _linear(linear: nn.Linear, rows: Tensor) -> Tensor:
    """The outputs of a linear layer, in the faster way for so many rows."""
    if torch.is_autocast_enabled("cpu"):
        rows = rows.to(torch.get_autocast_dtype("cpu"))
        if suits_rounding(linear, rows):
            return rounded_linear(rows, linear.weight, linear.bias)
    return nn.Linear.forward(linear, rows)


def _layout(conv: nn.Conv2d, pool: nn.MaxPool2d | None, scratch: Scratch, maps: Tensor) -> Layout | None:
    """How to compute it, or None where the library is as good."""
    if isinstance(conv.padding, str):
        return None
    down, across = conv.padding
    height, width = (
        maps.shape[2] + 2 * down - conv.kernel_size[0] + 1,
        maps.shape[3] + 2 * across - conv.kernel_size[1] + 1,
    )
    if pool is not None and (height % 2 or width % 2):
        return None
    if maps.dtype == torch.bfloat16:
        return bfloat16_layout(conv, maps, pool=pool is not None, scratch=scratch)
    if suits(conv, maps):
        return partial(PatchProducts, padding=(down, across), tile=1 if pool is None else 2, scratch=scratch)
    tile = tile_for(conv, maps) if maps.dtype == conv.weight.dtype else None
    return None if tile is None else partial(Filtering, padding=(down, across), tile=tile, scratch=scratch)
