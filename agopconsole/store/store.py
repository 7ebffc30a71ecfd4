"""The store as an object: requests into it, the queue's transitions, metrics, and every read."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from agopconsole.catalogue import ENDED
from agopconsole.errors import RequestError
from agopconsole.metrics import EpochMetrics, LayerStart, StepMetrics
from agopconsole.spec import RunSpec
from agopconsole.store.connection import connect, transaction, utc_now
from agopconsole.store.records import (
    LogLine,
    Owner,
    RunRecord,
    epoch_from_row,
    layer_from_row,
    step_from_row,
)

if TYPE_CHECKING:
    from sqlite_utils import Database

MAX_DEATHS = 3
"""A run whose process died this often in one epoch is failed rather than tried again."""


class Store:
    """One connection to runs.db; use it from one thread, and as a context manager to close it.

    Raises:
        RequestError: on opening, if the file is missing, no store, damaged, or of a newer version.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self._connection = connect(path, create=create)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    @cached_property
    def _tables(self) -> Database:
        from sqlite_utils import Database  # slow to import, and reads do without it

        return Database(self._connection, recursive_triggers=False)

    @property
    def files(self) -> Path:
        """The folder beside the store that holds checkpoints and feature matrices."""
        return self.path.with_suffix(".files")

    def run_files(self, run_id: int) -> Path:
        """The folder of one run's checkpoints."""
        return self.files / f"run-{run_id}"

    # Requests

    def add_runs(self, specs: Sequence[RunSpec]) -> list[int]:
        """Queues runs, all or none, and before them the source runs that they wait for; returns the ids of `specs`.

        A source run that is there already, done or on its way, serves again.

        Raises:
            RequestError: if a spec starts from a run that is not there or has failed.
        """
        with transaction(self._connection):
            return [self._add_run(spec) for spec in specs]

    def _add_run(self, spec: RunSpec) -> int:
        source_run = self._source_run_id(spec)
        source = self.run(source_run) if source_run else None
        row = {
            "name": spec.name or f"{spec.dataset} {spec.label} s{spec.seed}",
            "study": spec.study,
            "status": "queued" if source is None or source.status == "done" else "waiting",
            "method": spec.label,
            "twin": spec.twin_label,
            "init": spec.init,
            "dataset": spec.dataset,
            "model": spec.model,
            "source": spec.source if spec.method.needs_source else None,
            "seed": spec.seed,
            "epochs": spec.epochs,
            "batch_size": spec.batch_size,
            "lr": spec.lr,
            "source_run": source_run,
            "created_at": utc_now(),
            "fingerprint": spec.fingerprint,
            "spec": spec.to_json(),
        }
        run_id = self._tables.table("runs").insert(row).last_pk
        assert isinstance(run_id, int)
        return run_id

    def _source_run_id(self, spec: RunSpec) -> int | None:
        if not spec.method.needs_source:
            return None
        if spec.source.startswith("run:"):
            source = self.run(int(spec.source.removeprefix("run:")))
            if source.status in ("failed", "cancelled"):
                raise RequestError(
                    f"source '{spec.source}': that run is {source.status}; start from one that is done"
                )
            return source.id
        request = spec.source_run()
        if request is None:
            return None
        found = self.find_run(request.fingerprint)
        return found.id if found else self._add_run(request)

    def find_run(self, fingerprint: str, study: str | None = None, *, diverged: bool = False) -> RunRecord | None:
        """The newest run of that fingerprint (in that study) that is done or on its way, or None.

        With `diverged` one that diverged counts too: it would do so again.
        """
        row = self._connection.execute(
            "SELECT * FROM runs WHERE fingerprint = ? AND (? IS NULL OR study = ?)"
            " AND (status NOT IN ('failed', 'cancelled') OR (? AND diverged))"
            " ORDER BY status = 'done' DESC, id DESC LIMIT 1",
            (fingerprint, study, study, diverged),
        ).fetchone()
        return RunRecord.from_row(row) if row else None

    def request_cancel(self, run_id: int) -> None:
        """Asks for a run to stop: at once where it has not begun, else by the worker that runs it.

        Raises:
            RequestError: if there is no such run, or it has ended.
        """
        with transaction(self._connection):
            run = self.run(run_id)
            if run.status in ENDED:
                raise RequestError(f"run #{run_id} is {run.status} already")
            if run.status == "running":
                self._connection.execute("UPDATE runs SET cancel_requested = 1 WHERE id = ?", (run_id,))
            else:
                self._end(run_id, "cancelled", None)

    # The queue's transitions

    def claim(self, owner: Owner, only: Collection[int] | None = None) -> RunRecord | None:
        """Takes the next queued run (of `only`, where given) for `owner` in one transaction, or None."""
        if not self.open_count(only, ("queued",)):
            return None  # so that an idle worker never takes the lock
        chosen = None if only is None else json.dumps(list(only))
        with transaction(self._connection):
            row = self._connection.execute(
                "UPDATE runs SET status = 'running', host = ?, boot_id = ?, pid = ?, pid_started = ?,"
                " heartbeat_at = ?, started_at = coalesce(started_at, ?), attempts = attempts + 1, error = NULL"
                " WHERE id = (SELECT id FROM runs WHERE status = 'queued'"
                "  AND (? IS NULL OR id IN (SELECT value FROM json_each(?)))"
                "  ORDER BY priority DESC, id LIMIT 1) RETURNING *",
                (owner.host, owner.boot_id, owner.pid, owner.pid_started, *[utc_now()] * 2, chosen, chosen),
            ).fetchone()
        return RunRecord.from_row(row) if row else None

    def adopt(self, run: RunRecord, owner: Owner) -> bool:
        """Hands a claimed run from its worker to the process that trains it; False if the claim stands no more."""
        with transaction(self._connection):
            if not self._holds(run):
                return False
            self._connection.execute(
                "UPDATE runs SET host = ?, boot_id = ?, pid = ?, pid_started = ?, heartbeat_at = ? WHERE id = ?",
                (owner.host, owner.boot_id, owner.pid, owner.pid_started, utc_now(), run.id),
            )
        return True

    def open_count(
        self, only: Collection[int] | None = None, statuses: Collection[str] = ("queued", "waiting", "running")
    ) -> int:
        """How many runs (of `only`, where given) are still to be worked on."""
        chosen = None if only is None else json.dumps(list(only))
        count: int = self._connection.execute(
            "SELECT count(*) FROM runs WHERE status IN (SELECT value FROM json_each(?))"
            " AND (? IS NULL OR id IN (SELECT value FROM json_each(?)))",
            (json.dumps(list(statuses)), chosen, chosen),
        ).fetchone()[0]
        return count

    def heartbeat(self, run_ids: Iterable[int]) -> None:
        """Says that the worker of these runs is alive."""
        with transaction(self._connection):
            self._connection.executemany(
                "UPDATE runs SET heartbeat_at = ? WHERE id = ?", [(utc_now(), i) for i in run_ids]
            )

    def finish(self, run_id: int, status: str, error: str | None = None, *, diverged: bool = False) -> None:
        """Ends a run as `done`, `failed` or `cancelled`; runs that wait for it become queued, or fail with it.

        A run that has ended stays as it is: a worker and its job may both report the end.
        """
        assert status in ENDED
        with transaction(self._connection):
            self._end(run_id, status, error, diverged=diverged)

    def _end(self, run_id: int, status: str, error: str | None, *, diverged: bool = False) -> None:
        changed = self._connection.execute(
            "UPDATE runs SET status = ?, error = ?, diverged = ?, ended_at = ?, cancel_requested = 0"
            " WHERE id = ? AND status NOT IN ('done', 'failed', 'cancelled')",
            (status, error, int(diverged), utc_now(), run_id),
        ).rowcount
        if changed:
            self._release_waiting(run_id, status, error)

    def _release_waiting(self, run_id: int, status: str, error: str | None) -> None:
        if status == "done":
            self._connection.execute(
                "UPDATE runs SET status = 'queued' WHERE status = 'waiting' AND source_run = ?", (run_id,)
            )
            return
        reason = f"its source, run #{run_id}, {'failed' if status == 'failed' else 'was cancelled'}"
        for waiting in self.waiting_for(run_id):
            self._end(waiting.id, "failed", f"{reason}: {error}" if error else reason)

    def waiting_for(self, run_id: int) -> list[RunRecord]:
        """The runs that wait for that one to be done."""
        return self._records("WHERE status = 'waiting' AND source_run = ? ORDER BY id", (run_id,))

    def running(self) -> list[RunRecord]:
        """The runs that some worker has claimed."""
        return self._records("WHERE status = 'running' ORDER BY id")

    def give_back(self, run: RunRecord, reason: str) -> None:
        """Puts a run whose process died back into the queue; after `MAX_DEATHS` in one epoch it is failed instead."""
        with transaction(self._connection):
            if not self._holds(run):
                return
            self._log(run.id, "warning", reason)
            self._connection.execute("UPDATE runs SET deaths = deaths + 1 WHERE id = ?", (run.id,))
            run = self.run(run.id)
            if run.deaths >= MAX_DEATHS and not run.cancel_requested:
                self._end(run.id, "failed", f"{reason}, {run.deaths} times in epoch {run.epoch + 1}")
            else:
                self._put_down(run)

    def put_down(self, run: RunRecord) -> None:
        """Ends a claim on a run that has stopped: cancelled if a user asked for that, else back in the queue."""
        with transaction(self._connection):
            if self._holds(run):
                self._put_down(self.run(run.id))

    def _holds(self, run: RunRecord) -> bool:
        """Whether that claim on the run still stands: no one has ended it or made another since."""
        now = self.run(run.id)
        return now.status == "running" and now.attempts == run.attempts

    def _put_down(self, run: RunRecord) -> None:
        if run.cancel_requested:
            self._end(run.id, "cancelled", None)
        else:
            self._connection.execute("UPDATE runs SET status = 'queued', pid = NULL WHERE id = ?", (run.id,))

    # Metrics, written by the job of a run alone

    def record_setup(self, run_id: int, *, device: str, data_origin: str, environment: dict[str, Any]) -> None:
        """Keeps what runs, and on what."""
        self._update(
            run_id,
            device=device,
            data_origin=data_origin,
            environment=json.dumps(environment, sort_keys=True),
        )

    def record_start(self, run_id: int, layers: Sequence[LayerStart]) -> None:
        """Keeps the network's start, layer by layer."""
        rows = [{"run_id": run_id, "position": i, **asdict(layer)} for i, layer in enumerate(layers)]
        with transaction(self._connection):
            self._tables.table("layers").insert_all(rows, replace=True)

    def record_steps(self, run_id: int, steps: Sequence[StepMetrics]) -> None:
        """Keeps optimiser steps; a step that is recorded again replaces the old one."""
        with transaction(self._connection):
            self._connection.executemany(
                "INSERT OR REPLACE INTO steps (run_id, step, epoch, loss, gradient_norm, learning_rate)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [(run_id, s.step, s.epoch, s.loss, s.gradient_norm, s.learning_rate) for s in steps],
            )

    def record_epoch(self, run_id: int, metrics: EpochMetrics) -> None:
        """Keeps an epoch and brings the run's own columns up to date with it."""
        row = {
            "run_id": run_id,
            **asdict(metrics),
            "loss_gap": metrics.loss_gap,
            "poster_loss_gap": metrics.poster_loss_gap,
        }
        with transaction(self._connection):
            self._tables.table("epochs").insert(row, replace=True)
            self._connection.execute(
                "UPDATE runs SET deaths = iif(e.epoch > runs.epoch, 0, deaths), epoch = e.epoch,"
                " final_val_accuracy = e.val_accuracy, loss_gap = e.loss_gap, poster_loss_gap = e.poster_loss_gap"
                " FROM epochs e"
                " WHERE runs.id = ? AND e.run_id = runs.id AND e.epoch = ?",
                (run_id, metrics.epoch),
            )
            self._connection.execute(
                "UPDATE runs SET best_val_accuracy = b.val_accuracy, best_epoch = b.epoch FROM"
                " (SELECT epoch, val_accuracy FROM epochs WHERE run_id = ? AND val_accuracy IS NOT NULL"
                "  ORDER BY val_accuracy DESC, epoch LIMIT 1) b WHERE runs.id = ?",
                (run_id, run_id),
            )

    def record_result(self, run_id: int, *, test_accuracy: float | None, at_chance: bool) -> None:
        """Keeps what is known of a run only once it has trained to the end."""
        self._update(run_id, test_accuracy=test_accuracy, at_chance=int(at_chance))

    def record_features(self, row: dict[str, Any]) -> None:
        """Keeps what a file of feature matrices was computed from."""
        with transaction(self._connection):
            self._tables.table("features").insert({**row, "created_at": utc_now()}, replace=True)

    def log(self, run_id: int, level: str, message: str) -> None:
        """Adds a line to a run's log."""
        with transaction(self._connection):
            self._log(run_id, level, message)

    def _log(self, run_id: int, level: str, message: str) -> None:
        self._connection.execute(
            "INSERT INTO logs (run_id, time, level, message) VALUES (?, ?, ?, ?)",
            (run_id, utc_now(), level, message),
        )

    def _update(self, run_id: int, **columns: Any) -> None:
        with transaction(self._connection):
            self._tables.table("runs").update(run_id, columns)

    # Reads

    def run(self, run_id: int) -> RunRecord:
        """One run.

        Raises:
            RequestError: if there is none of that id.
        """
        row = self._connection.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise RequestError(f"there is no run #{run_id} in {self.path}")
        return RunRecord.from_row(row)

    def runs(
        self, *, study: str | None = None, status: str | None = None, ids: Collection[int] | None = None
    ) -> list[RunRecord]:
        """The runs (of a study, of a status, of some ids), oldest first."""
        where, values = ["1"], []
        for column, value in (("study", study), ("status", status)):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)
        if ids is not None:
            where.append("id IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(list(ids)))
        return self._records(f"WHERE {' AND '.join(where)} ORDER BY id", values)

    def _records(self, clause: str, values: Sequence[Any] = ()) -> list[RunRecord]:
        rows = self._connection.execute(f"SELECT * FROM runs {clause}", values)  # noqa: S608 - clauses of this class
        return [RunRecord.from_row(row) for row in rows]

    def studies(self) -> list[str]:
        """The names of the studies, the one touched last at the end."""
        rows = self._connection.execute("SELECT study FROM runs WHERE study != '' GROUP BY study ORDER BY max(id)")
        return [row[0] for row in rows]

    def history(self, run_id: int) -> list[EpochMetrics]:
        """The epochs of a run in order."""
        rows = self._connection.execute("SELECT * FROM epochs WHERE run_id = ? ORDER BY epoch", (run_id,))
        return [epoch_from_row(row) for row in rows]

    def histories(self, ids: Collection[int]) -> dict[int, list[EpochMetrics]]:
        """The epochs of several runs by id, each in order; a run without any has an empty list."""
        found: dict[int, list[EpochMetrics]] = {run_id: [] for run_id in ids}
        rows = self._connection.execute(
            "SELECT * FROM epochs WHERE run_id IN (SELECT value FROM json_each(?)) ORDER BY run_id, epoch",
            (json.dumps(list(ids)),),
        )
        for row in rows:
            found[row["run_id"]].append(epoch_from_row(row))
        return found

    def steps(self, run_id: int) -> list[StepMetrics]:
        """The recorded steps of a run in order."""
        rows = self._connection.execute("SELECT * FROM steps WHERE run_id = ? ORDER BY step", (run_id,))
        return [step_from_row(row) for row in rows]

    def last_step(self, run_id: int) -> StepMetrics | None:
        """The latest recorded step of a run, or None before its first."""
        row = self._connection.execute(
            "SELECT * FROM steps WHERE run_id = ? ORDER BY step DESC LIMIT 1", (run_id,)
        ).fetchone()
        return step_from_row(row) if row else None

    def start(self, run_id: int) -> list[LayerStart]:
        """The start of a run's network, from the first layer to the last."""
        rows = self._connection.execute("SELECT * FROM layers WHERE run_id = ? ORDER BY position", (run_id,))
        return [layer_from_row(row) for row in rows]

    def logs(self, run_id: int) -> list[LogLine]:
        """The log of a run, oldest line first."""
        rows = self._connection.execute(
            "SELECT time, level, message FROM logs WHERE run_id = ? ORDER BY id", (run_id,)
        )
        return [LogLine(*row) for row in rows]

    def damage(self) -> str | None:
        """The first thing that is wrong with the file, or None; it reads the whole of it."""
        result: str = self._connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        return None if result == "ok" else result

    def change_count(self) -> tuple[int, int]:
        """A pair that differs from the last one if and only if the store may have changed since."""
        return self._connection.execute("PRAGMA data_version").fetchone()[0], self._connection.total_changes
