"""The thread that reads the store: it polls for changes and hands over one snapshot for each.

It is a daemon thread of its own rather than one of Textual's workers: a read that waits for a locked file cannot be
cancelled, and must not keep the console from quitting.
"""

from __future__ import annotations

import operator
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from textual.message import Message

from agopconsole.analysis.estimate import Paces, read_paces
from agopconsole.analysis.groups import group_runs
from agopconsole.errors import AgopconsoleError, RequestError
from agopconsole.metrics import EpochAnsatz, EpochMetrics, StepMetrics
from agopconsole.queue.machine import this_machine
from agopconsole.store import RunRecord, Store, WorkerRecord
from agopconsole.tui.messages import SnapshotRead, StoreTrouble
from agopconsole.tui.run_files import list_files
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

    def poke(self) -> None:
        """Has the reader look at once whether anything has changed."""
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
        known = _Known(store)
        while not self._stopped.is_set():
            # An open file outlives its name: without this look a deleted store would be shown for ever.
            if not self.path.exists() or self.path.stat().st_ino != opened:
                raise RequestError(f"{self.path.name} is gone")
            self._busy_since = time.monotonic()
            wanted, forced, self._forced = self._wanted, self._forced, False
            # A worker may die without a word, that is without a change of the store.
            now = (store.change_count(), wanted, known.workers())
            if forced:
                known = _Known(store)
            if forced or now != seen:
                self._post(SnapshotRead(known.read(wanted)))
                seen = now
            self._busy_since = None
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()


class _Known:
    """What was read of the store so far; what has not moved since is not read again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._marks: dict[int, str] = {}
        self._runs: dict[int, RunRecord] = {}
        self._studies: dict[str, tuple[tuple[RunRecord, ...], StudyRuns]] = {}
        self._histories: dict[int, tuple[object, tuple[EpochMetrics, ...]]] = {}
        self._correlations: dict[int, tuple[object, tuple[EpochAnsatz, ...]]] = {}
        self._steps: dict[int, tuple[tuple[object, ...], tuple[StepMetrics, ...]]] = {}
        self._paces: tuple[object, Paces] | None = None

    def workers(self) -> tuple[tuple[WorkerRecord, bool], ...]:
        """The workers on the list, and whether each is alive."""
        found = self._store.workers()
        if not found:
            return ()
        from agopconsole.queue.identity import is_alive  # psutil is slow to import

        return tuple((worker, is_alive(worker.owner, worker.heartbeat_at)) for worker in found)

    def read(self, wanted: Wanted) -> Snapshot:
        """The store as it is now."""
        runs = self._read_runs()
        chosen = [runs[i] for i in sorted(wanted.histories) if i in runs]
        running = [run.id for run in runs.values() if run.status == "running" and run.epoch]
        seconds = self._store.epoch_seconds(running) if running else {}
        snapshot = Snapshot(
            runs=runs,
            studies=self._by_study(runs),
            paces={i: total / runs[i].epoch for i, total in seconds.items() if total},
            seconds_ahead=self._seconds_ahead(runs),
            workers=self.workers(),
            queue_paused=self._store.queue_paused(),
            wanted=wanted,
            histories=self._read_histories(chosen),
            start=tuple(self._store.start(wanted.start)) if wanted.start is not None else (),
            ansatz=tuple(self._store.ansatz([wanted.log]).get(wanted.log, ())) if wanted.log is not None else (),
            log=tuple(self._store.logs(wanted.log)) if wanted.log is not None else (),
            files=list_files(self._store.run_files(wanted.log)) if wanted.log is not None else (),
            steps={i: self._read_steps(runs[i]) for i in sorted(wanted.steps) if i in runs},
            correlations=self._read_correlations([runs[i] for i in sorted(wanted.correlations) if i in runs]),
        )
        snapshot.queue  # noqa: B018 - counted here, so that the screen need not: there are thousands of runs perhaps
        return snapshot

    def _seconds_ahead(self, runs: dict[int, RunRecord]) -> float | None:
        """How long all that is open takes; asked anew of the store when a run has its first epoch, or is done."""
        is_open = [run for run in runs.values() if run.status in ("queued", "waiting", "running")]
        if not is_open:
            return None
        told = sum((run.epoch > 0) + (run.status == "done") for run in runs.values())
        if self._paces is None or self._paces[0] != told:
            self._paces = told, read_paces(self._store, this_machine())
        return self._paces[1].left(is_open)

    def _read_runs(self) -> dict[int, RunRecord]:
        marks = self._store.run_marks()
        if marks == self._marks:
            return self._runs
        moved = [run_id for run_id, mark in marks.items() if self._marks.get(run_id) != mark]
        fresh = {run.id: run for run in self._store.runs(ids=moved)} if moved else {}
        self._runs = {i: fresh.get(i) or self._runs[i] for i in marks if i in fresh or i in self._runs}
        self._marks = marks
        return self._runs

    def _read_histories(self, runs: list[RunRecord]) -> dict[int, tuple[EpochMetrics, ...]]:
        moved = {run.id: _progress(run) for run in runs if self._histories.get(run.id, (None,))[0] != _progress(run)}
        if moved:
            for run_id, history in self._store.histories(moved).items():
                self._histories[run_id] = (moved[run_id], tuple(history))
        return {run.id: self._histories[run.id][1] for run in runs}

    def _read_steps(self, run: RunRecord) -> tuple[StepMetrics, ...]:
        """The steps of a run, of which only those are read that are new; another attempt may train some again."""
        mark, steps = self._steps.get(run.id, ((), ()))
        now = (run.attempts, run.status)
        if mark[:1] != now[:1]:
            steps = tuple(self._store.steps(run.id))
        elif run.status == "running" or mark != now:
            new = self._store.steps(run.id, after=steps[-1].step if steps else -1)
            steps = (*steps, *new) if new else steps
        self._steps[run.id] = (now, steps)
        return steps

    def _read_correlations(self, runs: list[RunRecord]) -> dict[int, tuple[EpochAnsatz, ...]]:
        """The ansatz of these runs; a running one may have been measured since it was last read."""
        moved = [
            run
            for run in runs
            if run.status == "running" or self._correlations.get(run.id, (None,))[0] != _progress(run)
        ]
        found = self._store.ansatz([run.id for run in moved]) if moved else {}
        for run in moved:
            new, old = tuple(found.get(run.id, ())), self._correlations.get(run.id, (None, ()))[1]
            self._correlations[run.id] = (_progress(run), old if len(new) == len(old) else new)
        return {run.id: self._correlations[run.id][1] for run in runs}

    def _by_study(self, runs: dict[int, RunRecord]) -> tuple[StudyRuns, ...]:
        by_name: dict[str, list[RunRecord]] = {}
        for run in reversed(runs.values()):
            by_name.setdefault(run.study, []).append(run)
        studies = {}
        for name, newest_first in by_name.items():
            own = tuple(newest_first[::-1])
            before = self._studies.get(name)
            same = before is not None and len(before[0]) == len(own) and all(map(operator.is_, before[0], own))
            studies[name] = before if before is not None and same else (own, study_runs(name, own))
        self._studies = studies
        return tuple(study for _, study in studies.values())


def study_runs(name: str, runs: Sequence[RunRecord]) -> StudyRuns:
    """The runs of one study, those that are repeats of one another together."""
    groups = tuple(group_runs(runs))
    grouped = {run.id for group in groups for run in group.runs}
    return StudyRuns(name, groups, tuple(run for run in runs if run.id not in grouped))


def _progress(run: RunRecord) -> tuple[object, ...]:
    return (run.epoch, run.attempts, run.status)
