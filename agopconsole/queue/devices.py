"""The devices that a worker gives to runs, and how a process is bound to one of them.

The driver's own program lists the GPUs: asking CUDA would start it in the worker, and fix what its jobs see.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from agopconsole.errors import RequestError

_QUERY = "index,uuid,memory.total,memory.free,name"
_PATIENCE_SECONDS = 10.0
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Device:
    """A device as a worker sees it.

    Attributes:
        name: `cuda:N`, counted as runs count them, `cpu`, or `auto` where the choice is left to the job.
        uuid: of a GPU.
    """

    name: str
    uuid: str = ""

    @property
    def inside(self) -> str:
        """Its name in a process that is bound to it, and sees no other GPU."""
        return "cuda:0" if self.uuid else self.name

    def environment(self) -> dict[str, str]:
        """The variables that bind a process to the device; they must be set before it starts CUDA."""
        if self.name == "auto":
            return {}
        return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": self.uuid}


CPU = Device("cpu")
ANY = Device("auto")


@dataclass(frozen=True, slots=True)
class Gpu:
    """What the driver says of a GPU; memory in bytes, 0 where it does not say; its maker's name for it."""

    index: int
    uuid: str
    memory_total: int
    memory_free: int
    title: str = ""


def read_gpus() -> list[Gpu]:
    """The GPUs that the driver lists, in the order of the PCI bus; none where there is no driver."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [program, f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return []
    return parse_gpus(done.stdout)


def parse_gpus(text: str) -> list[Gpu]:
    """The GPUs in nvidia-smi's comma-separated lines; a line that names none is left out."""
    gpus = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) == 5 and cells[0].isdecimal() and cells[1]:
            gpus.append(Gpu(int(cells[0]), cells[1], _bytes(cells[2]), _bytes(cells[3]), cells[4]))
    return sorted(gpus, key=lambda gpu: gpu.index)


def _bytes(cell: str) -> int:
    return int(cell) * _MIB if cell.isdecimal() else 0  # "[N/A]"


def visible(gpus: Sequence[Gpu], allowed: str | None) -> list[Gpu]:
    """The GPUs that `CUDA_VISIBLE_DEVICES` leaves, in its order; as in CUDA, its first unknown entry ends it."""
    if allowed is None:
        return list(gpus)
    left: list[Gpu] = []
    for entry in (cell.strip() for cell in allowed.split(",")):
        found = [gpu for gpu in gpus if entry and (entry == str(gpu.index) or gpu.uuid.startswith(entry))]
        if len(found) != 1 or found[0] in left:
            break
        left += found
    return left


def choose(wanted: str) -> tuple[Device, ...]:
    """The devices of `--devices`: `auto`, or names with commas between them.

    `auto` is every GPU, and the processor for runs that ask for it; without a GPU, whatever a job finds.

    Raises:
        RequestError: if one is not here; the message names those that are.
    """
    gpus = visible(read_gpus(), os.environ.get("CUDA_VISIBLE_DEVICES"))
    here = [Device(f"cuda:{place}", gpu.uuid) for place, gpu in enumerate(gpus)]
    if wanted.strip() == "auto":
        return (*here, CPU) if here else (ANY,)
    by_name = {device.name: device for device in (*here, CPU)}
    names = ["cuda:0" if name.strip() == "cuda" else name.strip() for name in wanted.split(",")]
    for name in names:
        if name not in by_name:
            hint = "" if re.fullmatch(r"cuda:\d+|cpu", name) else f" ('{name}' is no name of a device)"
            raise RequestError(f"there is no device '{name}' here{hint}; choose from auto, {', '.join(by_name)}")
    return tuple(by_name[name] for name in dict.fromkeys(names))
