"""How far some runs are, and how long the rest will take."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agopconsole.analysis.estimate import Machine, Paces
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

    The rest takes as long as stored runs like those that are left took; where the store has none like one of them,
    as long as the epochs that were trained meanwhile.

    Args:
        clock: seconds that only go forward.
        paces: reads what the store tells about speed; it is asked once an epoch.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, paces: Callable[[], Paces] | None = None) -> None:
        self._clock = clock
        self._paces = paces or (lambda: Paces([], {}, Machine("", {})))
        self._began = clock()
        self._done_at_start: float | None = None
        self._asked: object = None
        self._left: float | None = None
        self._asked_at = 0.0

    def measure(self, runs: Sequence[RunRecord], part: float = 0.0) -> Progress:
        """The progress of `runs`, `part` epochs beyond their last whole ones."""
        done = part + sum(run.epoch for run in runs)
        total = sum(run.epoch if run.status in ENDED else run.epochs for run in runs)
        if self._done_at_start is None:
            self._done_at_start = done
        gained = done - self._done_at_start
        left = self._known_left(runs)
        if left is None and gained > 0:
            left = (self._clock() - self._began) * (total - done) / gained
        return Progress(done, total, sum(run.status in ENDED for run in runs), len(runs), left)

    def _known_left(self, runs: Sequence[RunRecord]) -> float | None:
        """What stored runs say of the rest, counted down since they were asked."""
        state = [(run.status, run.epoch) for run in runs]
        if state != self._asked:
            self._asked, self._asked_at = state, self._clock()
            self._left = self._paces().left(runs)
        if self._left is None:
            return None
        at_once = max(1, sum(run.status == "running" for run in runs))
        return max(0.0, self._left / at_once - (self._clock() - self._asked_at))


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
