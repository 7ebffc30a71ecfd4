"""The workers that are there: each says so as it starts, every few seconds, and as it ends."""

from __future__ import annotations

import json
from collections.abc import Sequence

from agopconsole.store.connection import transaction, utc_now
from agopconsole.store.records import Owner, WorkerRecord
from agopconsole.store.session import Session


class Workers(Session):
    """The part of `Store` that keeps the list of workers; who of them still lives is for `queue.identity` to say."""

    def register_worker(self, owner: Owner, *, devices: Sequence[str], slots: int) -> int:
        """Keeps that a worker is there, or what has changed about it; its id."""
        with transaction(self._connection):
            now = utc_now()
            row = self._connection.execute(
                "INSERT INTO workers (host, boot_id, pid, pid_started, started_at, heartbeat_at, devices, slots)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (host, boot_id, pid, pid_started) DO UPDATE"
                " SET heartbeat_at = excluded.heartbeat_at, devices = excluded.devices, slots = excluded.slots"
                " RETURNING id",
                (owner.host, owner.boot_id, owner.pid, owner.pid_started, now, now, json.dumps(list(devices)), slots),
            ).fetchone()
        worker_id: int = row[0]
        return worker_id

    def forget_workers(self, worker_ids: Sequence[int]) -> None:
        """Takes workers that are gone off the list."""
        with transaction(self._connection):
            self._connection.executemany("DELETE FROM workers WHERE id = ?", [(i,) for i in worker_ids])

    def workers(self) -> list[WorkerRecord]:
        """The workers on the list, the one that started first at the front."""
        rows = self._connection.execute("SELECT * FROM workers ORDER BY id")
        return [
            WorkerRecord(
                id=row["id"],
                owner=Owner(row["host"], row["boot_id"], row["pid"], row["pid_started"]),
                started_at=row["started_at"],
                heartbeat_at=row["heartbeat_at"],
                devices=tuple(json.loads(row["devices"])),
                slots=row["slots"],
            )
            for row in rows
        ]
