"""A linear layer in bfloat16 whose weight stays in float32: the library rounds it on its way into a product.

Autocast makes a rounded copy of the weight first and a rounded gradient that is widened afterwards. Where a layer has
many more weights than a batch has numbers, as the head of a VGG at 224 px, that takes longer than the products.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


def suits_rounding(linear: nn.Linear, rows: Tensor) -> bool:
    """Whether a layer of float32, called with bfloat16, has more weights than there are numbers in and out."""
    if rows.dtype != torch.bfloat16 or linear.weight.dtype != torch.float32:
        return False
    into, out = linear.in_features, linear.out_features
    return rows.numel() // into * (into + out) < into * out


def rounded_linear(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The outputs of a linear layer, which autograd can follow once.

    Args:
        rows: bfloat16, (..., c_in).
        weight: float32, (c_out, c_in).
        bias: float32, (c_out,) or None.

    Returns:
        bfloat16, (..., c_out).
    """
    out: Tensor = _Linear.apply(rows, weight, bias)
    return out


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(rows, weight)
        with _rounded_factors():
            return nn.functional.linear(rows.float(), weight, bias).to(rows.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, delta: Tensor) -> tuple[Tensor | None, ...]:
        rows, weight = ctx.saved_tensors
        wants_rows, wants_weight, wants_bias = ctx.needs_input_grad
        wide = delta.flatten(0, -2).float()
        with _rounded_factors():
            of_rows = (wide @ weight).to(rows.dtype).view_as(rows) if wants_rows else None
            of_weight = wide.mT @ rows.flatten(0, -2).float() if wants_weight else None
        return of_rows, of_weight, wide.sum(0) if wants_bias else None


@contextlib.contextmanager
def _rounded_factors() -> Iterator[None]:
    """Products of float32 matrices with factors rounded to bfloat16 and sums in float32, where oneDNN can do it."""
    mkldnn: Any = torch.backends.mkldnn  # which does not declare its switches
    switch = mkldnn.matmul
    before = switch.fp32_precision
    try:
        switch.fp32_precision = "bf16"
        with torch.autocast("cpu", enabled=False):
            yield
    finally:
        switch.fp32_precision = before
