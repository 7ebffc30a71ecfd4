"""What every benchmark writes beside its figures: the machine, the versions and the date, in `results/`."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("agopconsole", "torch", "torchvision", "textual", "typer", "sqlite-utils", "plotext")


def write_result(name: str, figures: dict[str, Any], device: torch.device | None = None) -> Path:
    """Writes `results/<name>.json`, of a GPU `results/<name>_<its name>.json`, and returns the path."""
    gpu = _gpu(device) if device is not None and device.type == "cuda" else {}
    record = {
        "benchmark": name,
        "date": datetime.now(UTC).date().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {package: importlib.metadata.version(package) for package in _PACKAGES},
        **gpu,
        "figures": figures,
    }
    RESULTS.mkdir(exist_ok=True)
    of_gpu = re.sub(r"\W+", "_", f"_{gpu['gpu']}".lower()) if gpu else ""
    path = RESULTS / f"{name}{of_gpu}.json"
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return path


def _gpu(device: torch.device) -> dict[str, str | None]:
    import torch

    return {"gpu": torch.cuda.get_device_name(device), "cuda": torch.version.cuda}


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
