"""The arithmetic of a training step: what a run asks for, what its device can do, and what `auto` picks there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from agopconsole.errors import RequestError
from agopconsole.spec import AUTO

_TENSOR_CORES = 8
"""CUDA's capability from which on tensor cores multiply bfloat16; AMD's devices that torch serves all do."""


@dataclass(frozen=True, slots=True)
class Precision:
    """The type of the products of a training step; weights, sums and the loss stay in float32.

    Attributes:
        name: `float32`, `bfloat16` or `float16`.
        reason: why it was picked, in a few words; empty if the run asked for it.
    """

    name: str
    reason: str = ""

    def autocast(self, device: torch.device) -> torch.autocast:
        """The context of a forward pass."""
        dtype = torch.float16 if self.name == "float16" else torch.bfloat16
        return torch.autocast(device.type, dtype=dtype, enabled=self.name != "float32")

    def scaler(self, device: torch.device) -> torch.amp.GradScaler:
        """Keeps gradients within float16's range by scaling the loss; with any other type it does nothing."""
        return torch.amp.GradScaler(device.type, enabled=self.name == "float16")


def pick_precision(wanted: str, device: torch.device) -> Precision:
    """The arithmetic of a run on a device.

    `auto` is bfloat16 where the device has units of its own for it: AMX on a processor, tensor cores on a GPU.
    Anywhere else bfloat16 is no faster than float32, or slower, and `auto` is float32. It looks at what the device
    says of itself and times nothing, so that a run goes on as it began.

    Args:
        wanted: one of `catalogue.PRECISIONS`.
        device: where the run trains.

    Raises:
        RequestError: if the device cannot do what is wanted.
    """
    if wanted == AUTO:
        return _fastest(device)
    if wanted == "float16" and device.type not in ("cuda", "mps"):
        raise RequestError(f"precision float16 needs a GPU, and this run trains on {device}; choose float32 or auto")
    if wanted == "bfloat16" and device.type == "cuda":
        with torch.cuda.device(device):
            if not torch.cuda.is_bf16_supported():
                raise RequestError(f"precision bfloat16: {device} cannot do it; choose float16, float32 or auto")
    return Precision(wanted)


def _fastest(device: torch.device) -> Precision:
    if device.type == "cuda":
        has = torch.version.hip is not None or torch.cuda.get_device_capability(device)[0] >= _TENSOR_CORES
        units = "tensor cores for bfloat16"
    elif device.type == "cpu":
        # Older versions of torch do not tell; float32 is right everywhere.
        tell: Callable[[], dict[str, Any]] = getattr(torch.cpu, "get_capabilities", dict)
        has = bool(tell().get("amx_bf16", False))
        units = "AMX for bfloat16"
    else:
        return Precision("float32", f"{device} is not known to gain from bfloat16")
    return Precision("bfloat16", f"{device} has {units}") if has else Precision("float32", f"{device} has no {units}")
