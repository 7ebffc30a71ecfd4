"""The thread that reads the store: it polls for changes and hands over one snapshot for each.

It is a daemon thread of its own rather than one of Textual's workers: a read that waits for a locked file cannot be
cancelled, and must not keep the console from quitting.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from textual.message import Message

from agopconsole.analysis.groups import group_runs
from agopconsole.errors import AgopconsoleError, RequestError
from agopconsole.metrics import EpochMetrics
from agopconsole.store import RunRecord, Store
from agopconsole.tui.messages import SnapshotRead, StoreTrouble
from agopconsole.tui.snapshot import Snapshot, StudyRuns, Wanted

POLL_SECONDS = 0.5
RETRY_SECONDS = 1.0


class StoreReader:
    """Reads the store at `path` until it is stopped; every method but `_run` is for other threads.

    Args:
        path: the store.
        post: takes the messages `SnapshotRead` and `StoreTrouble`; called from the reader's thread.
    """

    def __init__(self, path: Path, post: Callable[[Message], object]) -> None:
        self.path = path
        self._post = post
        self._wanted = Wanted()
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._forced = False
        self._busy_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="store reader", daemon=True)

    def start(self) -> None:
        """Begins to read."""
        self._thread.start()

    def stop(self) -> None:
        """Asks the thread to end; it does so at once unless it waits for a locked file."""
        self._stopped.set()
        self._wake.set()

    def join(self, seconds: float) -> bool:
        """Waits for the thread to end; whether it did."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def want(self, wanted: Wanted) -> None:
        """Says what the next snapshot must hold, and has it read at once if that is new."""
        if wanted != self._wanted:
            self._wanted = wanted
            self._wake.set()

    def refresh(self) -> None:
        """Has the store read at once, changed or not."""
        self._forced = True
        self._wake.set()

    def busy_seconds(self) -> float:
        """How long the present read has taken; 0 between reads."""
        since = self._busy_since
        return time.monotonic() - since if since is not None else 0.0

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._busy_since = time.monotonic()
                with Store(self.path) as store:
                    self._follow(store)
            except (AgopconsoleError, sqlite3.Error, OSError) as error:
                self._busy_since = None
                self._post(StoreTrouble(str(error)))
                self._wake.wait(RETRY_SECONDS)
                self._wake.clear()

    def _follow(self, store: Store) -> None:
        """Reads this one file until it is gone or the reader is stopped."""
        opened = self.path.stat().st_ino
        seen: object = None
        histories = _Histories(store)
        while not self._stopped.is_set():
            # An open file outlives its name: without this look a deleted store would be shown for ever.
            if not self.path.exists() or self.path.stat().st_ino != opened:
                raise RequestError(f"{self.path.name} is gone")
            self._busy_since = time.monotonic()
            wanted, forced, self._forced = self._wanted, self._forced, False
            now = (store.change_count(), wanted)
            if forced:
                histories = _Histories(store)
            if forced or now != seen:
                self._post(SnapshotRead(_read(store, wanted, histories)))
                seen = now
            self._busy_since = None
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()


class _Histories:
    """The epochs that were read so far; those of a run that has not moved since are not read again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[int, tuple[object, tuple[EpochMetrics, ...]]] = {}

    def read(self, runs: list[RunRecord]) -> dict[int, tuple[EpochMetrics, ...]]:
        """The epochs of `runs` by id."""
        moved = {run.id: _progress(run) for run in runs if self._kept.get(run.id, (None,))[0] != _progress(run)}
        for run_id, history in self._store.histories(moved).items():
            self._kept[run_id] = (moved[run_id], tuple(history))
        return {run.id: self._kept[run.id][1] for run in runs}


def _progress(run: RunRecord) -> tuple[object, ...]:
    return (run.epoch, run.attempts, run.status)


def _read(store: Store, wanted: Wanted, histories: _Histories) -> Snapshot:
    runs = {run.id: run for run in store.runs()}
    return Snapshot(
        runs=runs,
        studies=_by_study(list(runs.values())),
        wanted=wanted,
        histories=histories.read([runs[i] for i in sorted(wanted.histories) if i in runs]),
        start=tuple(store.start(wanted.start)) if wanted.start is not None else (),
        log=tuple(store.logs(wanted.log)) if wanted.log is not None else (),
    )


def _by_study(runs: list[RunRecord]) -> tuple[StudyRuns, ...]:
    by_name: dict[str, list[RunRecord]] = {}
    for run in reversed(runs):
        by_name.setdefault(run.study, []).append(run)
    studies = []
    for name, newest_first in by_name.items():
        own = newest_first[::-1]
        groups = tuple(group_runs(own))
        grouped = {run.id for group in groups for run in group.runs}
        studies.append(StudyRuns(name, groups, tuple(run for run in own if run.id not in grouped)))
    return tuple(studies)
