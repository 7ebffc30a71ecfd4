"""How far some runs are, and how long the rest will take."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agopconsole.catalogue import ENDED
from agopconsole.store import RunRecord


@dataclass(frozen=True, slots=True)
class Progress:
    """Epochs and runs that are over, of all there are; `seconds_left` is None as long as nothing tells."""

    epochs_done: float
    epochs: int
    runs_done: int
    runs: int
    seconds_left: float | None

    @property
    def share(self) -> float:
        """The share of all epochs that is over, 0 to 1."""
        return self.epochs_done / self.epochs if self.epochs else 1.0

    def __str__(self) -> str:
        left = (
            "" if self.seconds_left is None or self.runs_done == self.runs else f"  {_clock(self.seconds_left)} left"
        )
        runs = f"  {self.runs_done}/{self.runs} runs" if self.runs > 1 else ""
        return f"{self.share:4.0%}  epoch {int(self.epochs_done)}/{self.epochs}{runs}{left}"


class ProgressMeter:
    """Measures progress from when it is made: what was over before says nothing about speed.

    Args:
        clock: seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._done_at_start: float | None = None

    def measure(self, runs: Sequence[RunRecord], part: float = 0.0) -> Progress:
        """The progress of `runs`, `part` epochs beyond their last whole ones."""
        done = part + sum(run.epoch for run in runs)
        total = sum(run.epoch if run.status in ENDED else run.epochs for run in runs)
        if self._done_at_start is None:
            self._done_at_start = done
        gained = done - self._done_at_start
        left = (self._clock() - self._began) * (total - done) / gained if gained > 0 else None
        return Progress(done, total, sum(run.status in ENDED for run in runs), len(runs), left)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
