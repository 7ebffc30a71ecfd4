"""Opens runs.db: settings of the connection, version check, migration after a backup."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from agopconsole.errors import RequestError, WorkError

VERSION = 4
"""The schema that this version reads and writes, kept in `PRAGMA user_version`."""

BUSY_SECONDS = 60.0
"""How long a writer waits for another before SQLite gives up."""

_PAGE = 4096


def utc_now() -> str:
    """The time now in UTC, ISO 8601 to the millisecond: it sorts as text."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def connect(path: Path, *, create: bool) -> sqlite3.Connection:
    """A connection to the store at `path`, migrated to this version.

    Raises:
        RequestError: if the file is missing (and not to be created), no store, damaged, or of a newer version.
        WorkError: if it is locked, or may not be read or made.
    """
    if not path.exists():
        if not create:
            raise RequestError(f"there is no store at {path}; `agopconsole run` makes one, --db names another")
        if not path.parent.is_dir():
            raise RequestError(f"there is no folder {path.parent} to put the store {path.name} in")
        _make(path)
    if path.is_dir():
        raise RequestError(f"{path} is not a store that can be used: it is a folder")
    try:
        return _connect(path)
    except sqlite3.OperationalError as error:
        raise WorkError(f"the store {path} cannot be opened: {reason(error, path)}") from None
    except sqlite3.DatabaseError as error:
        raise RequestError(f"{path} is not a store that can be used: {error}") from None


def reason(error: sqlite3.Error, path: Path) -> str:
    """What SQLite says, and that the disk is full where that is behind it: it calls most of that an I/O error."""
    return f"{error} (there is no room left on the disk)" if is_full(error, path) else str(error)


def is_full(error: sqlite3.Error, path: Path) -> bool:
    """Whether a full disk is behind an error of the database."""
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return True
    with contextlib.suppress(OSError):
        return shutil.disk_usage(path.parent).free < _PAGE
    return False


def _address(path: Path) -> str:
    """The file as SQLite is to open it: as it lies where nothing beside it can be written, as on a read-only disk."""
    beside = path.with_name(f"{path.name}-wal")
    fixed = path.exists() and not os.access(path.parent, os.W_OK) and not beside.exists()
    return f"{path.resolve().as_uri()}{'?immutable=1' if fixed else ''}"


def _make(path: Path) -> None:
    """Makes a store under another name and gives it its own when it is whole: none that is found is half made.

    Raises:
        WorkError: if it cannot be made.
    """
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        with contextlib.closing(sqlite3.connect(part, isolation_level=None)) as connection:
            _migrate(connection, part, 0)
        _give_name(part, path)
    except (OSError, sqlite3.OperationalError) as error:
        raise WorkError(f"the store {path} cannot be made: {error}") from None
    finally:
        part.unlink(missing_ok=True)


def _give_name(part: Path, path: Path) -> None:
    """Names a file, unless another process was quicker."""
    try:
        os.link(part, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        if not path.exists():
            part.rename(path)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(_address(path), timeout=BUSY_SECONDS, isolation_level=None, uri=True)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        _bring_up_to_date(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        raise RequestError(
            f"{path} is empty, and no store of agopconsole; once it is removed, `agopconsole run` makes one"
        )
    if not tables >= {"runs", "epochs"}:
        raise RequestError(f"{path} is a database of something else, not a store of agopconsole")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise RequestError(
            f"{path} was written by a newer agopconsole (schema {version}, this one knows {VERSION}); upgrade"
        )
    if version < VERSION:
        _migrate(connection, path, version)


def _migrate(connection: sqlite3.Connection, path: Path, version: int) -> None:
    from sqlite_utils import Database  # half the start-up time of a light command, needed here alone

    from agopconsole.store.schema import migrations

    if version > 0:
        # A copy of the file alone would miss what still lies in the write-ahead log.
        with contextlib.closing(sqlite3.connect(path.with_name(f"{path.name}.v{version}.bak"))) as backup:
            connection.backup(backup)
    connection.execute("PRAGMA journal_mode = WAL")
    with transaction(connection):
        # Another process may have migrated while this one waited for the lock.
        if connection.execute("PRAGMA user_version").fetchone()[0] < VERSION:
            migrations.apply(Database(connection, recursive_triggers=False))
            connection.execute(f"PRAGMA user_version = {VERSION}")


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One write transaction; taking the lock at once means that it can wait but never fail half-way."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
