"""What the devices of this machine are doing: its GPUs by nvidia-smi, processor and memory by psutil; no torch."""

from __future__ import annotations

import math
import shutil
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass

POLL_SECONDS = 2.0
_PATIENCE_SECONDS = 5.0
_QUERY = "index,name,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw"
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Device:
    """One device at one moment; NaN is what it does not tell.

    Attributes:
        name: `CPU`, or `GPU0 H100`.
        utilisation: in percent.
        memory_used, memory_total: in bytes.
        temperature: in degrees Celsius.
        power: in watts.
    """

    name: str
    utilisation: float
    memory_used: float
    memory_total: float
    temperature: float = math.nan
    power: float = math.nan


def read_devices() -> tuple[Device, ...]:
    """The GPUs that the driver knows, in its order, and last the processor."""
    import psutil  # slow to import

    memory = psutil.virtual_memory()
    processor = Device("CPU", psutil.cpu_percent(), memory.total - memory.available, memory.total)
    return (*_gpus(), processor)


def _gpus() -> tuple[Device, ...]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    command = [program, f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ()
    return parse_gpus(done.stdout)


def parse_gpus(text: str) -> tuple[Device, ...]:
    """The devices in nvidia-smi's comma-separated lines; a line that is none is left out."""
    devices = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) == len(_QUERY.split(",")):
            index, name, utilisation, used, total, temperature, power = cells
            short = name.removeprefix("NVIDIA ").split(" ")[0]
            used_bytes, total_bytes = _figure(used) * _MIB, _figure(total) * _MIB
            title = f"GPU{index} {short}"
            devices.append(
                Device(title, _figure(utilisation), used_bytes, total_bytes, _figure(temperature), _figure(power))
            )
    return tuple(devices)


def _figure(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:  # "[N/A]"
        return math.nan


class DeviceReader:
    """Reads the devices every few seconds in a daemon thread until it is stopped."""

    def __init__(self, read: Callable[[], tuple[Device, ...]], take: Callable[[tuple[Device, ...]], object]) -> None:
        self._read = read
        self._take = take
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="device reader", daemon=True)

    def start(self) -> None:
        """Begins to read."""
        self._thread.start()

    def stop(self) -> None:
        """Asks the thread to end."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._take(self._read())
            self._stopped.wait(POLL_SECONDS)
