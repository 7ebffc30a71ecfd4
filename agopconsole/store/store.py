"""The store as one object, put together from its parts."""

from __future__ import annotations

from agopconsole.store.metrics import Metrics
from agopconsole.store.queue import Queue
from agopconsole.store.requests import Requests


class Store(Requests, Queue, Metrics):
    """One connection to runs.db; use it from one thread, and as a context manager to close it.

    Raises:
        RequestError: on opening, if the file is missing, no store, damaged, or of a newer version.
        WorkError: on opening, if it is locked, or may not be read or made.
    """
