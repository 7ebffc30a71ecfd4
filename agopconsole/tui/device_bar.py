"""The line at the bottom: what the devices do, and which run is under way."""

from __future__ import annotations

import math

from rich.text import Text
from textual.widgets import Static

from agopconsole.analysis.colours import GREY, method_colour
from agopconsole.store import RunRecord
from agopconsole.tui.devices import Device
from agopconsole.tui.snapshot import Snapshot
from agopconsole.tui.theme import GOOD
from agopconsole.tui.words import duration

_MOST_LINES = 4
_BAR = 10
_SHORT = 60
"""Characters below which a device is told in a word."""


class DeviceBar(Static):
    """A line a GPU, or one for the processor where there is none."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._devices: tuple[Device, ...] = ()
        self._snapshot = Snapshot()
        self._drawn = Text("")

    def show_devices(self, devices: tuple[Device, ...]) -> None:
        """Shows how they fare now."""
        self._devices = devices
        self.redraw()

    def show(self, snapshot: Snapshot) -> None:
        """Shows which run is under way."""
        self._snapshot = snapshot
        self.redraw()

    def on_resize(self) -> None:
        """Fits the lines to the new width."""
        self.redraw()

    def redraw(self) -> None:
        """Words the lines anew."""
        width = self.size.width
        gpus = [device for device in self._devices if device.name != "CPU"]
        shown = gpus[:_MOST_LINES] or list(self._devices)
        lines = [device_line(device, short=width < _SHORT) for device in shown] or [Text("")]
        running = self._snapshot.queue.running
        if running:
            words = _run_words(running[0], self._snapshot.paces.get(running[0].id))
            room = width - lines[0].cell_len - 2
            if room >= 20:
                words.truncate(room, overflow="ellipsis")
                lines[0] = Text.assemble(lines[0], " " * (width - lines[0].cell_len - words.cell_len - 1), words)
        text = Text("\n").join(lines)
        if text != self._drawn:
            # A layout has the whole screen drawn anew: it is for another number of lines alone.
            is_resized = text.plain.count("\n") != self._drawn.plain.count("\n")
            self._drawn = text
            self.update(text, layout=is_resized)


def device_line(device: Device, *, short: bool) -> Text:
    """One device in one line."""
    share = "-" if math.isnan(device.utilisation) else f"{device.utilisation:.0f} %"
    if short:
        return Text.assemble(" ", (device.name.split(" ")[0], GREY), f" {share}")
    filled = 0 if math.isnan(device.utilisation) else round(_BAR * min(device.utilisation, 100) / 100)
    line = Text.assemble(
        " ", device.name, " ", ("▇" * filled, GOOD), ("░" * (_BAR - filled), GREY), f" {share:>5}   {_memory(device)}"
    )
    if not math.isnan(device.temperature):
        line.append(f"   {device.temperature:.0f} C")
    if not math.isnan(device.power):
        line.append(f"   {device.power:.0f} W")
    return line


def _memory(device: Device) -> str:
    if math.isnan(device.memory_total):
        return ""
    return f"{device.memory_used / 2**30:.0f}/{device.memory_total / 2**30:.0f} GiB"


def _run_words(run: RunRecord, pace: float | None) -> Text:
    text = Text.assemble(("■ ", method_colour(run.method)), f"{run.title}  {run.epoch}/{run.epochs}")
    if pace is not None:
        text.append(f"  {duration(pace * (run.epochs - run.epoch))} left")
    return text
