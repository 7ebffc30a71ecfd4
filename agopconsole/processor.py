"""What the processor of this machine is called, and how many cores of it there are; no torch."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path

from agopconsole.wording import counted

_CPUINFO = Path("/proc/cpuinfo")
_PATIENCE_SECONDS = 2.0


def processor() -> str:
    """Its maker's name as far as the system tells it, and its cores: `Intel Xeon Processor, 2 cores`."""
    cores = os.cpu_count() or 1
    return f"{_name()}, {counted(cores, 'core')}"


def _name() -> str:
    """The name; what `platform` tells is empty or a mere architecture on most systems."""
    found = ""
    if _CPUINFO.is_file():
        match = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", _CPUINFO.read_text(errors="replace"), re.MULTILINE)
        found = match[1] if match else ""
    elif platform.system() == "Darwin":
        found = _of_sysctl()
    found = re.sub(r"\((?:R|TM)\)", "", found or platform.processor() or platform.machine())
    return " ".join(found.split())


def _of_sysctl() -> str:
    command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
