"""Memory that is used again and again, and the outer products that are taken in it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_BLOCK = 128
_CACHE, _ENOUGH = 16 << 20, 256 << 20


def bytes_at_once(device: torch.device) -> int:
    """What one piece of a large work may hold: what stays in a CPU's cache, or what keeps a GPU busy."""
    return _CACHE if device.type == "cpu" else _ENOUGH


class Scratch:
    """Tensors under names: whoever takes a name again gets the same memory again.

    A fresh page costs several times what is then computed in it, above all in a virtual machine.
    """

    def __init__(self) -> None:
        self._held: dict[str, Tensor] = {}

    def take(self, name: str, shape: tuple[int, ...], like: Tensor) -> Tensor:
        """A contiguous tensor of that shape, with any content, of the type and on the device of `like`."""
        size = math.prod(shape)
        held = self._held.get(name)
        if held is None or len(held) < size or (held.dtype, held.device) != (like.dtype, like.device):
            self._held.pop(name, None)  # freed before the larger one is made
            held = self._held[name] = like.new_empty(size)
        return held[:size].view(shape)


def outer_product(rows: Tensor) -> Tensor:
    """rows^T rows, (c, c), of (m, c); of a large c only the blocks of the upper triangle are multiplied."""
    m, c = rows.shape
    if c <= _BLOCK:
        parts = max(1, m // (1 << 12))  # a small matrix keeps all cores busy only in several parts
        head = rows[: m // parts * parts].view(parts, -1, c)
        rest = rows[m // parts * parts :]
        return torch.bmm(head.mT, head).sum(0) + rest.mT @ rest
    out = rows.new_empty(c, c)
    for start in range(0, c, _BLOCK):
        end = min(start + _BLOCK, c)
        torch.mm(rows[:, start:end].mT, rows[:, start:], out=out[start:end, start:])
        out[end:, start:end] = out[start:end, end:].mT
    return out
