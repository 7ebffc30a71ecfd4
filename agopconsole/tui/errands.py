"""The thread that does what may have to wait for the store: requests, reports, exports; one after another.

Like the reader it is a daemon thread of its own: an errand that waits for a locked file must not keep the console
from quitting.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from textual.message import Message

from agopconsole.errors import AgopconsoleError
from agopconsole.store import Store
from agopconsole.tui.messages import ErrandDone

T = TypeVar("T")


class Errands:
    """Does work with the store at `path` in a thread, and posts what came of it."""

    def __init__(self, path: Path, post: Callable[[Message], object]) -> None:
        self._path = path
        self._post = post
        self._waiting: queue.SimpleQueue[tuple[Callable[[Store], Any], Callable[[Any], None]]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="errands", daemon=True)

    def start(self) -> None:
        """Begins to work."""
        self._thread.start()

    def do(self, work: Callable[[Store], T], then: Callable[[T], None]) -> None:
        """Has `work` done with the store; `then` gets what it returned, on the screen's own thread."""
        self._waiting.put((work, then))

    def _run(self) -> None:
        while True:
            work, then = self._waiting.get()
            try:
                with Store(self._path) as store:
                    result = work(store)
            except (AgopconsoleError, sqlite3.Error, OSError) as error:
                self._post(ErrandDone(None, None, str(error)))
            else:
                self._post(ErrandDone(then, result))
