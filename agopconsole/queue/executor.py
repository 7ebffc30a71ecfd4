"""What a worker asks of whatever trains its runs: processes of this machine (`launch`) or Ray (`ray_executor`)."""

from __future__ import annotations

from typing import Protocol

from agopconsole.queue.job import Assignment
from agopconsole.store import Owner, RunRecord, Store


class Job(Protocol):
    """One run that is being trained, as its worker sees it.

    Attributes:
        run: the run as it was claimed.
        told_at: when it was told to stop, in seconds of the monotonic clock, or None.
    """

    run: RunRecord
    told_at: float | None

    @property
    def sentinel(self) -> int | None:
        """What becomes ready when the job ends, if there is such a thing."""

    @property
    def ended(self) -> bool:
        """Whether it is over."""

    @property
    def end(self) -> str:
        """How it ended, in words."""

    @property
    def was_killed(self) -> bool:
        """Whether something outside ended it."""

    @property
    def found_no_room(self) -> bool:
        """Whether it ended because a disk is full."""

    @property
    def failed(self) -> bool:
        """Whether it ended by itself, but not as a job should."""

    def attend(self) -> None:
        """Does what the job needs its worker for."""

    def tell_to_stop(self) -> None:
        """Asks it to stop at its next step."""

    def kill(self) -> None:
        """Ends it at once."""


class Executor(Protocol):
    """Where a worker has its runs trained."""

    def warm_up(self, engine: str) -> None:
        """Prepares for jobs of that engine."""

    def start(self, assignment: Assignment, store: Store, owner: Owner, places: int) -> Job:
        """Starts a job in one of `places`; `owner` is the worker."""
