"""What a user asks of runs that are there already; each request is one transaction, and is refused whole."""

from __future__ import annotations

import json
from collections.abc import Collection

from agopconsole.catalogue import ENDED
from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec
from agopconsole.store.connection import transaction
from agopconsole.store.queue import Queue
from agopconsole.store.records import RunRecord
from agopconsole.store.requests import Requests


class Changes(Requests, Queue):
    """The part of `Store` that takes requests about runs and about the queue as a whole."""

    def request_cancel(self, run_id: int) -> None:
        """Asks for a run to stop for good: at once where it does not run, else by the worker that runs it.

        Raises:
            RequestError: if there is no such run, or it has ended.
        """
        with transaction(self._connection):
            if self._open_run(run_id).status == "running":
                self._connection.execute("UPDATE runs SET cancel_requested = 1 WHERE id = ?", (run_id,))
            else:
                self._end(run_id, "cancelled", None)

    def request_pause(self, run_id: int) -> None:
        """Asks for a run to be left alone until it is resumed: at once, or once its worker has stopped it.

        Raises:
            RequestError: if there is no such run, or it has ended.
        """
        with transaction(self._connection):
            if self._open_run(run_id).status == "running":
                self._connection.execute("UPDATE runs SET pause_requested = 1 WHERE id = ?", (run_id,))
            else:
                self._move(run_id, "paused")

    def resume(self, run_id: int) -> None:
        """Puts a paused run back where it would be now: in the queue, or waiting for its source.

        One that is about to pause goes on instead, or is queued again where its job has stopped already.

        Raises:
            RequestError: if there is no such run, it is not paused, or its source has come to nothing.
        """
        with transaction(self._connection):
            run = self.run(run_id)
            if run.status == "running" and run.pause_requested:
                self._connection.execute("UPDATE runs SET pause_requested = 0 WHERE id = ?", (run_id,))
            elif run.status == "paused":
                self._move(run_id, self._place(run))
            else:
                raise RequestError(f"run #{run_id} is {run.status}, not paused")

    def retry(self, run_id: int, *, from_scratch: bool = False) -> None:
        """Puts a run that failed or was cancelled back into the queue, and behind it those that failed with it alone.

        Args:
            run_id: the run.
            from_scratch: whether to forget all that it yielded; else it goes on from its last checkpoint.

        Raises:
            RequestError: if there is no such run, it came to no such end, or its source has come to nothing.
        """
        with transaction(self._connection):
            run = self.run(run_id)
            if run.status not in ("failed", "cancelled"):
                raise RequestError(f"run #{run_id} is {run.status}; only what failed or was cancelled can be retried")
            place = self._place(run)
            if from_scratch:
                self._forget(run_id)
            self._retry(run_id, place)
            self._log(run_id, "info", f"to be tried again {'from scratch' if from_scratch else 'where it stopped'}")

    def _retry(self, run_id: int, place: str) -> None:
        self._move(
            run_id, place, error=None, diverged=0, at_chance=0, deaths=0, pid=None, ended_at=None, on_finish_due=0
        )
        for run in self.resting_on(run_id):
            # One that no worker ever claimed can have failed through its source alone.
            if run.status == "failed" and not run.attempts:
                self._retry(run.id, "waiting")

    def _forget(self, run_id: int) -> None:
        for table in ("epochs", "steps", "layers", "ansatz"):
            self._connection.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))  # noqa: S608
        self._connection.execute(
            "UPDATE runs SET epoch = 0, best_epoch = NULL, best_val_accuracy = NULL, final_val_accuracy = NULL,"
            " test_accuracy = NULL, loss_gap = NULL, poster_loss_gap = NULL, micro_batch = NULL, started_at = NULL"
            " WHERE id = ?",
            (run_id,),
        )

    def set_priority(self, run_id: int, priority: int) -> None:
        """Has a run claimed before those of lower priority.

        Raises:
            RequestError: if there is no such run, or it has ended.
        """
        with transaction(self._connection):
            self._open_run(run_id)
            self._connection.execute("UPDATE runs SET priority = ? WHERE id = ?", (priority, run_id))

    def set_on_finish(self, run_ids: Collection[int], command: str) -> None:
        """Has a command run once those of these runs have ended that are open still."""
        with transaction(self._connection):
            self._connection.execute(
                "UPDATE runs SET on_finish = ? WHERE id IN (SELECT value FROM json_each(?))"
                " AND status NOT IN (SELECT value FROM json_each(?))",
                (command, json.dumps(list(run_ids)), json.dumps(list(ENDED))),
            )

    def replace_spec(self, run_id: int, spec: RunSpec) -> None:
        """Changes what is asked of a run that has not begun.

        Raises:
            RequestError: if there is no such run, it has begun or ended, or the new source has come to nothing.
        """
        with transaction(self._connection):
            run = self.run(run_id)
            if run.attempts or run.status not in ("queued", "waiting", "paused"):
                state = f"{run.status} and has begun" if run.status in ("queued", "paused") else run.status
                raise RequestError(f"run #{run_id} is {state}; only a run that has not begun can be edited")
            self._replace_spec(run, spec)

    def remove(self, run_ids: Collection[int]) -> None:
        """Removes runs with all that they yielded, all or none; their ids are never given to another.

        Raises:
            RequestError: if one is not there, runs, or is the source of one that stays.
        """
        with transaction(self._connection):
            for run_id in run_ids:
                if self.run(run_id).status == "running":
                    raise RequestError(f"run #{run_id} is running; cancel it first")
                if left := [run.id for run in self.resting_on(run_id) if run.id not in run_ids]:
                    names = ", ".join(f"#{i}" for i in left)
                    raise RequestError(f"run #{run_id} is the source of {names}; remove {names} with it")
            self._connection.execute("UPDATE queue SET last_id = max(last_id, (SELECT max(id) FROM runs))")
            # The later ones first: a run may not go before one that starts from it.
            for run_id in sorted(run_ids, reverse=True):
                self._connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))

    def pause_queue(self, paused: bool = True) -> None:
        """Has no worker start another run while `paused`; what runs goes on."""
        with transaction(self._connection):
            self._connection.execute("UPDATE queue SET paused = ?", (int(paused),))

    def take_due_command(self, only: Collection[int] | None = None) -> RunRecord | None:
        """A run (of `only`, where given) that has ended, whose `on_finish` the caller alone is to run now."""
        if self._connection.execute("SELECT 1 FROM runs WHERE on_finish_due LIMIT 1").fetchone() is None:
            return None  # so that an idle worker never takes the lock
        chosen = None if only is None else json.dumps(list(only))
        with transaction(self._connection):
            row = self._connection.execute(
                "UPDATE runs SET on_finish_due = 0 WHERE id = (SELECT id FROM runs WHERE on_finish_due"
                " AND (? IS NULL OR id IN (SELECT value FROM json_each(?))) ORDER BY id LIMIT 1) RETURNING *",
                (chosen, chosen),
            ).fetchone()
        return RunRecord.from_row(row) if row else None

    def _open_run(self, run_id: int) -> RunRecord:
        run = self.run(run_id)
        if run.status in ENDED:
            raise RequestError(f"run #{run_id} is {run.status} already")
        return run

    def _place(self, run: RunRecord) -> str:
        """The status of a run that is to be taken up again: queued, or waiting for its source."""
        if run.source_run is None:
            return "queued"
        source = self.run(run.source_run)
        if source.status in ("failed", "cancelled"):
            raise RequestError(
                f"the source of run #{run.id}, run #{source.id}, is {source.status}; `runs retry {source.id}` first"
            )
        return "queued" if source.status == "done" else "waiting"
