"""The queue's transitions: a run is claimed, kept alive, put back or ended, each in one transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable

from agopconsole.catalogue import ENDED
from agopconsole.errors import RequestError
from agopconsole.store.connection import transaction, utc_now
from agopconsole.store.reads import Reads
from agopconsole.store.records import Owner, RunRecord

MAX_DEATHS = 3
"""A run whose process died this often in one epoch is failed rather than tried again."""


class Queue(Reads):
    """The part of `Store` that changes the status of runs."""

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
