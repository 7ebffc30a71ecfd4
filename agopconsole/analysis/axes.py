"""What the axes of a chart count, and on which scale."""

from __future__ import annotations

from dataclasses import dataclass

from agopconsole.analysis.ticks import time_label


@dataclass(frozen=True, slots=True)
class Axes:
    """The axes.

    Attributes:
        x_label: what x counts.
        time: whether x is a time in seconds, labelled in minutes and hours.
        log: whether y runs on a logarithmic scale.
        zero_line: whether y = 0 is drawn and stays in view; there is none on a logarithmic scale.
        notes: what it means to lie below and above zero.
    """

    x_label: str = "epoch"
    time: bool = False
    log: bool = False
    zero_line: bool = False
    notes: tuple[str, str] | None = None

    @property
    def shows_zero(self) -> bool:
        """Whether y = 0 is part of the chart."""
        return self.zero_line and not self.log

    def place(self, x: float) -> str:
        """An x in words: `epoch 3`, `2h30`."""
        return time_label(x) if self.time else f"{self.x_label} {x:.6g}"
