"""How the queue stands: what runs, what waits, whether a worker is alive, and when it may be done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from agopconsole.store import RunRecord

ALIVE_SECONDS = 30.0
"""A worker whose last sign of life is older than this is not counted on."""


@dataclass(frozen=True)
class Queue:
    """What the runs say of the queue, whatever the time is.

    Attributes:
        counts: number of runs by status; those that failed because they diverged count as `diverged`.
        running: the runs that are being trained.
        seconds_ahead: until all that is open has been trained, one run after another; None if that is not known.
    """

    counts: Counter[str]
    running: tuple[RunRecord, ...]
    seconds_ahead: float | None

    @classmethod
    def of(cls, runs: Iterable[RunRecord], seconds_ahead: float | None = None) -> Queue:
        """The queue of these runs."""
        runs = list(runs)
        return cls(
            Counter("diverged" if run.diverged else run.status for run in runs),
            tuple(run for run in runs if run.status == "running"),
            seconds_ahead,
        )


@dataclass(frozen=True)
class QueueState:
    """The queue at one moment.

    Attributes:
        counts: as those of `Queue`.
        silent_seconds: since the last sign of life of any running run; None if none runs.
        remaining_seconds: until the queue is empty, as long as runs like those in it took; None if that is not known.
    """

    counts: Counter[str]
    silent_seconds: float | None
    remaining_seconds: float | None

    @property
    def is_worked_on(self) -> bool:
        """Whether a worker is alive."""
        return self.silent_seconds is not None and self.silent_seconds < ALIVE_SECONDS

    @property
    def still_open(self) -> int:
        """Number of runs that a worker would take up."""
        return self.counts["queued"] + self.counts["waiting"]


def queue_state(queue: Queue, now: str, *, worker: bool | None = None) -> QueueState:
    """The state of the queue at the time `now` (UTC, ISO 8601); `worker` says whether one is known to be alive."""
    silent = min((_seconds(run.heartbeat_at, now) for run in queue.running if run.heartbeat_at), default=None)
    if worker is True:
        silent = 0.0
    state = QueueState(queue.counts, silent, None)
    if queue.seconds_ahead is None or not state.is_worked_on:
        return state
    return replace(state, remaining_seconds=queue.seconds_ahead / max(len(queue.running), 1))


def _seconds(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
