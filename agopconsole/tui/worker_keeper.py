"""Sees to it that runs find a worker for as long as the console is open."""

from __future__ import annotations

import time
from collections.abc import Callable

from agopconsole.store import Store
from agopconsole.tui.errands import Errands
from agopconsole.tui.snapshot import Snapshot

_PAUSE_SECONDS = 15.0
"""How long a worker may take to be there."""

_TRIES = 3


class WorkerKeeper:
    """Starts a worker when the console opens, and again when runs are queued and none is alive.

    Args:
        errands: takes the start off the screen's hands.
        start: starts one where none is alive, and says whether it did; None to leave it.
        say: tells the user something, and whether it is an error.
    """

    def __init__(
        self, errands: Errands, start: Callable[[Store], bool] | None, say: Callable[[str, bool], None]
    ) -> None:
        self._errands = errands
        self._start = start
        self._say = say
        self._tries = 0
        self._next = 0.0

    def begin(self) -> None:
        """Starts one where none is alive."""
        if self._start is not None:
            self._tries += 1
            self._next = time.monotonic() + _PAUSE_SECONDS
            self._errands.do(self._start, self._started)

    def mind(self, snapshot: Snapshot | None) -> None:
        """Starts one where runs are queued that nothing but the want of a worker holds up."""
        if snapshot is None or self._start is None:
            return
        if any(lives for _, lives in snapshot.workers):
            self._tries = 0
        elif time.monotonic() >= self._next and _has_work(snapshot):
            if self._tries < _TRIES:
                self.begin()
            else:
                self._start = None
                self._say("no worker stays alive; worker.log in the store's folder of files says why", True)

    def _started(self, started: bool) -> None:
        if started:
            self._say("a worker was started; it goes on when the console is closed", False)


def _has_work(snapshot: Snapshot) -> bool:
    return not snapshot.queue_paused and any(run.status == "queued" for run in snapshot.runs.values())
