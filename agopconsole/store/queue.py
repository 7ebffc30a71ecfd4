"""The queue's transitions: a run is claimed, kept alive, put back or ended, each in one transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Any

from agopconsole.catalogue import ENDED
from agopconsole.store.connection import transaction, utc_now
from agopconsole.store.reads import Reads
from agopconsole.store.records import Owner, RunRecord
from agopconsole.store.transitions import before
from agopconsole.wording import counted

MAX_DEATHS = 5
"""A run whose process died this often, and no attempt got further than one before, is failed rather than tried again.

Few enough to be rid of a run that always dies; too many for kills from outside to hit one run in the same place.
"""

NEXT_QUEUED = (
    "SELECT id FROM runs WHERE status = 'queued'"
    " AND iif(:chosen IS NULL, NOT (SELECT paused FROM queue), id IN (SELECT value FROM json_each(:chosen)))"
    " AND (:asked IS NULL OR json_extract(spec, '$.device') IN (SELECT value FROM json_each(:asked)))"
    " ORDER BY priority DESC, id LIMIT 1"
)
"""The run to be claimed next: it is read off the index, from its front, so that it costs the same in a long queue."""


class Queue(Reads):
    """The part of `Store` that changes the status of runs."""

    def claim(
        self,
        owner: Owner,
        only: Collection[int] | None = None,
        *,
        devices: Collection[str] | None = None,
        on_finish: str | None = None,
    ) -> RunRecord | None:
        """Takes the next queued run for `owner` in one transaction, or None if there is none to be had.

        Args:
            owner: the process that answers for it.
            only: the runs to choose from, even while the queue is paused; None for all.
            devices: that a run may have asked for; None for all.
            on_finish: a command to be run once the run has ended, unless it came with one.
        """
        chosen = None if only is None else json.dumps(list(only))
        asked = None if devices is None else json.dumps(list(devices))
        wanted = {"chosen": chosen, "asked": asked}
        if self._connection.execute(NEXT_QUEUED, wanted).fetchone() is None:
            return None  # so that an idle worker never takes the lock
        with transaction(self._connection):
            row = self._connection.execute(
                "UPDATE runs SET status = 'running', host = :host, boot_id = :boot_id, pid = :pid,"  # noqa: S608 - a constant
                " pid_started = :pid_started, heartbeat_at = :now, started_at = coalesce(started_at, :now),"
                " attempts = attempts + 1, begun = 0, error = NULL, on_finish = coalesce(on_finish, :on_finish)"
                f" WHERE id = ({NEXT_QUEUED}) RETURNING *",
                {**asdict(owner), "now": utc_now(), "on_finish": on_finish, **wanted},
            ).fetchone()
        return RunRecord.from_row(row) if row else None

    def adopt(self, run: RunRecord, owner: Owner) -> bool:
        """Hands a claimed run from its worker to the process that trains it; False if the claim stands no more."""
        with transaction(self._connection):
            if not self._holds(run):
                return False
            self._connection.execute(
                "UPDATE runs SET host = ?, boot_id = ?, pid = ?, pid_started = ?, heartbeat_at = ?, begun = 1"
                " WHERE id = ?",
                (owner.host, owner.boot_id, owner.pid, owner.pid_started, utc_now(), run.id),
            )
        return True

    def heartbeat(self, run_ids: Iterable[int], worker_id: int | None = None) -> None:
        """Says that the worker of these runs is alive, and so its row in `workers`."""
        with transaction(self._connection):
            self._connection.executemany(
                "UPDATE runs SET heartbeat_at = ? WHERE id = ?", [(utc_now(), i) for i in run_ids]
            )
            self._connection.execute("UPDATE workers SET heartbeat_at = ? WHERE id = ?", (utc_now(), worker_id))

    def finish(self, run_id: int, status: str, error: str | None = None, *, diverged: bool = False) -> None:
        """Ends a run as `done`, `failed` or `cancelled`; runs that wait for it become queued, or fail with it.

        A run that has ended stays as it is: a worker and its job may both report the end.
        """
        assert status in ENDED
        with transaction(self._connection):
            self._end(run_id, status, error, diverged=diverged)

    def _end(self, run_id: int, status: str, error: str | None, *, diverged: bool = False) -> None:
        if self._move(run_id, status, error=error, diverged=int(diverged), ended_at=utc_now()):
            self._connection.execute("UPDATE runs SET on_finish_due = on_finish IS NOT NULL WHERE id = ?", (run_id,))
            self._release_waiting(run_id, status, error)

    def _move(self, run_id: int, status: str, **columns: Any) -> bool:
        """Gives a run another status, and whatever was asked of it before is settled; False if that may not be."""
        values = {"status": status, "cancel_requested": 0, "pause_requested": 0, **columns}
        assignments = ", ".join(f"{name} = ?" for name in values)
        changed = self._connection.execute(
            f"UPDATE runs SET {assignments} WHERE id = ?"  # noqa: S608 - names of this class
            " AND status IN (SELECT value FROM json_each(?))",
            (*values.values(), run_id, json.dumps(before(status))),
        ).rowcount
        return changed > 0

    def _release_waiting(self, run_id: int, status: str, error: str | None) -> None:
        if status == "done":
            for waiting in self.waiting_for(run_id):
                self._move(waiting.id, "queued")
            return
        reason = f"its source, run #{run_id}, {'failed' if status == 'failed' else 'was cancelled'}"
        for waiting in self.waiting_for(run_id):
            self._end(waiting.id, "failed", f"{reason}: {error}" if error else reason)

    def give_back(self, run: RunRecord, reason: str, *, counts: bool = True) -> None:
        """Puts a run whose process died back into the queue; after `MAX_DEATHS` in one place it is failed instead.

        A death that does not count, since the run had no part in it, is only kept in the log.
        """
        with transaction(self._connection):
            if not self._holds(run):
                return
            self._log(run.id, "warning", reason)
            self._connection.execute("UPDATE runs SET deaths = deaths + ? WHERE id = ?", (int(counts), run.id))
            run = self.run(run.id)
            if run.deaths >= MAX_DEATHS and not run.cancel_requested:
                self._end(run.id, "failed", f"{reason}, {run.deaths} times in epoch {run.epoch + 1}")
            else:
                self._put_down(run)

    def put_down(self, run: RunRecord) -> None:
        """Ends a claim on a run that has stopped: cancelled or paused if a user asked for that, else queued again."""
        with transaction(self._connection):
            if self._holds(run):
                self._put_down(self.run(run.id))

    def shrink(self, run: RunRecord, micro_batch: int, reason: str) -> None:
        """Puts a run that memory did not hold back into the queue, to take so many images at once from now on."""
        with transaction(self._connection):
            if self._holds(run):
                self._log(
                    run.id, "warning", f"{reason}; to be tried again with {counted(micro_batch, 'image')} at once"
                )
                self._connection.execute("UPDATE runs SET micro_batch = ? WHERE id = ?", (micro_batch, run.id))
                self._put_down(self.run(run.id))

    def _holds(self, run: RunRecord) -> bool:
        """Whether that claim on the run still stands: no one has ended it or made another since."""
        now = self.run(run.id)
        return now.status == "running" and now.attempts == run.attempts

    def _put_down(self, run: RunRecord) -> None:
        if run.cancel_requested:
            self._end(run.id, "cancelled", None)
        else:
            self._move(run.id, "paused" if run.pause_requested else "queued", pid=None)
