"""The store as one object, put together from its parts."""

from __future__ import annotations

from agopconsole.store.changes import Changes
from agopconsole.store.imports import Imports
from agopconsole.store.metrics import Metrics
from agopconsole.store.starts import Starts
from agopconsole.store.studies import Studies
from agopconsole.store.workers import Workers


class Store(Changes, Imports, Metrics, Starts, Studies, Workers):
    """One connection to runs.db; use it from one thread, and as a context manager to close it.

    Raises:
        RequestError: on opening, if the file is missing, no store, damaged, or of a newer version.
        WorkError: on opening, if it is locked, or may not be read or made.
    """
