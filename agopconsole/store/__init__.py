"""The store: `runs.db`, one SQLite file with every run, its metrics and the queue.

Every SQL statement of the project stands in this package. Readers use the standard library's sqlite3 alone, since
the light commands must start fast; tables, migrations and inserts go through sqlite-utils.
"""

from agopconsole.store.connection import utc_now
from agopconsole.store.imports import ImportedRun
from agopconsole.store.records import REFUSED, LogLine, Owner, RunRecord, WorkerRecord
from agopconsole.store.session import files_beside
from agopconsole.store.starts import StartSums
from agopconsole.store.store import Store

__all__ = [
    "REFUSED",
    "ImportedRun",
    "LogLine",
    "Owner",
    "RunRecord",
    "StartSums",
    "Store",
    "WorkerRecord",
    "files_beside",
    "utc_now",
]
