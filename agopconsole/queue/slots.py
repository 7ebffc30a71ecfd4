"""Which run may start where: so many runs a device, each on the device it asks for, if memory is left."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agopconsole.queue.devices import ANY, CPU, Device, Gpu, read_gpus

FREE_SHARE = 0.5
"""A run starts on a GPU if this much of its share of the memory (the whole over the slots) is free."""

READ_SECONDS = 5.0
"""How long the driver's word on the memory is taken for true, and until a run has taken what it needs."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one run trains.

    Attributes:
        device: what its process is bound to.
        threads: of its process; None for as many as torch takes by itself.
    """

    device: Device
    threads: int | None = None


class Slots:
    """The places of a worker, and who has them.

    Args:
        devices: that the worker gives to runs.
        each: runs that it trains at once on each of them.
        gpus: asks the driver.
    """

    def __init__(self, devices: Sequence[Device], each: int, *, gpus: Callable[[], list[Gpu]] = read_gpus) -> None:
        self.devices = tuple(devices)
        self.each = each
        self._gpus = gpus
        self._memory: Mapping[str, Gpu] = {}
        self._read_at = -math.inf
        self._taken: dict[int, Device] = {}
        self._started_at: dict[int, float] = {}
        self._only_cpu = not any(device.uuid for device in devices)
        places = each * max(1, sum(bool(device.uuid) for device in devices))
        # More threads than cores are slower than one; with a single place the numbers are those of a plain process.
        self._threads = max(1, _cores() // places) if places > 1 else None

    def accepts(self, device: Device) -> tuple[str, ...] | None:
        """The values of a spec's `device` that may run on that device; None for all."""
        if device == ANY:
            return None
        if device == CPU:
            return ("cpu", "auto") if self._only_cpu else ("cpu",)
        return ("auto", "cuda", device.name) if device == self._first_gpu else ("auto", device.name)

    @property
    def accepted(self) -> tuple[str, ...] | None:
        """The values of a spec's `device` that this worker has a device for; None for all."""
        if ANY in self.devices:
            return None
        return tuple(sorted({name for device in self.devices for name in self.accepts(device) or ()}))

    @property
    def _first_gpu(self) -> Device:
        return min((device for device in self.devices if device.uuid), key=lambda device: int(device.name[5:]))

    @property
    def count(self) -> int:
        """How many runs it trains at once."""
        return len(self.devices) * self.each

    def free(self) -> list[Place]:
        """The places where a run may start now, on the devices with the fewest runs first."""
        counts = {device: list(self._taken.values()).count(device) for device in self.devices}
        open_to_one = [device for device in self.devices if counts[device] < self.each]
        return [
            Place(device, self._threads)
            for device in sorted(open_to_one, key=counts.__getitem__)
            if not device.uuid or self._has_memory(device)
        ]

    def take(self, run_id: int, place: Place) -> None:
        """Keeps that a run is there."""
        self._taken[run_id] = place.device
        self._started_at[run_id] = time.monotonic()

    def leave(self, run_id: int) -> None:
        """Keeps that a run is gone."""
        self._taken.pop(run_id, None)
        self._started_at.pop(run_id, None)
        self._read_at = -math.inf  # what it held is free again

    def _has_memory(self, device: Device) -> bool:
        if time.monotonic() >= self._read_at + READ_SECONDS:
            self._read_at = time.monotonic()
            self._memory = {gpu.uuid: gpu for gpu in self._gpus()}
        gpu = self._memory.get(device.uuid)
        if gpu is None:  # fallen off the bus: a run there would only fail
            return False
        # What a run takes that has just begun, the driver does not count yet: as much is set aside as let it begin.
        beginning = sum(
            self._read_at < self._started_at[run_id] + READ_SECONDS
            for run_id, taken in self._taken.items()
            if taken == device
        )
        return gpu.memory_free >= (1 + beginning) * FREE_SHARE * gpu.memory_total / self.each


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
