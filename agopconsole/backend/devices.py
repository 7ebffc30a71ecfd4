"""The devices of this machine, and the one that a run asks for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from agopconsole.errors import RequestError
from agopconsole.processor import processor
from agopconsole.wording import counted


def available() -> list[str]:
    """The names a run can ask for on this machine, the fastest first."""
    names = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        names.append("mps")
    return [*names, "cpu"]


def pick(name: str) -> torch.device:
    """The device of that name; `auto` is the fastest one there is.

    Raises:
        RequestError: if the machine has no such device; the message names those it has.
    """
    names = available()
    wanted = {"auto": names[0], "cuda": "cuda:0"}.get(name, name)
    if wanted not in names:
        raise RequestError(f"there is no device '{name}' here; choose from auto, {', '.join(names)}")
    return torch.device(wanted)


def describe() -> list[dict[str, Any]]:
    """What each device is: its name, its maker's title, its memory in bytes (None where it is the machine's)."""
    rows: list[dict[str, Any]] = []
    for name in available():
        if name.startswith("cuda"):
            properties = torch.cuda.get_device_properties(name)
            rows.append({"device": name, "title": properties.name, "memory": properties.total_memory})
        else:
            title = f"{processor()}, {counted(torch.get_num_threads(), 'thread')}"
            rows.append({"device": name, "title": title, "memory": None})
    return rows


def hardware(device: torch.device) -> str:
    """What a device is, whatever number it has here: what its maker calls it, or the processor it belongs to."""
    return str(torch.cuda.get_device_properties(device).name) if device.type == "cuda" else processor()


def synchronize(device: torch.device) -> None:
    """Waits until the device has done all that it was given, so that a clock read after it tells the truth."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def in_float64(tensor: Tensor) -> Tensor:
    """A tensor in float64, where it is if its device has that type, else on the CPU."""
    return tensor.cpu().double() if tensor.device.type == "mps" else tensor.double()


@contextlib.contextmanager
def exact_products() -> Iterator[None]:
    """Multiplies float32 numbers as float32, for what is measured and not trained.

    Left to itself cuDNN rounds the factors of its convolutions to TF32, which has the digits of a float16.
    """
    cudnn: Any = torch.backends.cudnn  # which does not declare its switches
    matmul = torch.backends.cuda.matmul
    before = cudnn.conv.fp32_precision, cudnn.rnn.fp32_precision, matmul.fp32_precision
    try:
        cudnn.allow_tf32 = False  # the older switch for both, which torch wants to agree with them
        matmul.fp32_precision = "ieee"
        yield
    finally:
        cudnn.allow_tf32 = "tf32" in before[:2]
        cudnn.conv.fp32_precision, cudnn.rnn.fp32_precision, matmul.fp32_precision = before
