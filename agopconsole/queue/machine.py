"""What runs will train on here, as far as it can be told without loading torch."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib import metadata
from pathlib import Path

from agopconsole.analysis.estimate import Machine
from agopconsole.processor import processor
from agopconsole.queue.devices import read_gpus, visible

_AMD = Path("/dev/kfd")
"""There wherever the driver of AMD's GPUs is."""


@cache
def this_machine() -> Machine:
    """This machine, asked once; the first of its devices is the one that `auto` takes."""
    title = processor()
    return Machine(platform.node(), {**_gpus(title), "cpu": title})


def _gpus(title: str) -> dict[str, str]:
    build = _build_of_torch()
    if build == "cpu":  # this torch sees no GPU, whatever the driver lists
        return {}
    gpus = visible(read_gpus(), os.environ.get("CUDA_VISIBLE_DEVICES"))
    if gpus:
        return {f"cuda:{place}": gpu.title for place, gpu in enumerate(gpus)}
    if build.startswith("rocm") and _AMD.exists():
        return {"cuda:0": ""}
    return {"mps": title} if (platform.system(), platform.machine()) == ("Darwin", "arm64") else {}


def _build_of_torch() -> str:
    """What torch was built for, as its version says it: `cpu`, `cu130`, `rocm6.4`, or nothing."""
    try:
        return metadata.version("torch").partition("+")[2]
    except metadata.PackageNotFoundError:
        return ""
