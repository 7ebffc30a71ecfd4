"""One connection to the store and the files beside it: what every part of `Store` works with."""

from __future__ import annotations

import sqlite3
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from agopconsole.errors import NoRoomError, WorkError
from agopconsole.store.connection import VERSION, connect, is_full, reason, utc_now

if TYPE_CHECKING:
    from sqlite_utils import Database


def files_beside(path: Path) -> Path:
    """The folder beside the store at `path` that holds checkpoints and feature matrices."""
    return path.with_suffix(".files")


class Session:
    """An open store; see `Store`.

    As a context manager it names itself in an error of the database: SQLite's own words never say which file.
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
        if isinstance(error, sqlite3.Error):
            kind_of = NoRoomError if is_full(error, self.path) else WorkError
            raise kind_of(f"the store {self.path} cannot be used: {reason(error, self.path)}") from error

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    @cached_property
    def _tables(self) -> Database:
        from sqlite_utils import Database  # slow to import, and reads do without it

        return Database(self._connection, recursive_triggers=False)

    @property
    def outgrown(self) -> bool:
        """Whether a newer agopconsole has migrated the store since: no new process of this version may open it."""
        version: int = self._connection.execute("PRAGMA user_version").fetchone()[0]
        return version > VERSION

    @property
    def files(self) -> Path:
        """The folder of checkpoints and feature matrices."""
        return files_beside(self.path)

    def run_files(self, run_id: int) -> Path:
        """The folder of one run's checkpoints."""
        return self.files / f"run-{run_id}"

    def _log(self, run_id: int, level: str, message: str) -> None:
        """Adds a line to a run's log, within the transaction that is open."""
        self._connection.execute(
            "INSERT INTO logs (run_id, time, level, message) VALUES (?, ?, ?, ?)",
            (run_id, utc_now(), level, message),
        )
