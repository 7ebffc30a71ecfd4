"""A worker in the background: the console starts one where none is, and it outlives the console.

Two consoles that open at once may both start one; a lock that it holds for as long as it lives leaves one of them.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from agopconsole.queue.identity import is_alive, process_owner
from agopconsole.store import Store, files_beside

IDLE_MINUTES = 10
"""A worker that the console started ends once the queue has been empty for so long."""

LOG = "worker.log"
"""In the store's folder of files: what such a worker says."""

PROGRAM = (sys.executable, "-P", "-m", "agopconsole")
"""The command line; with -P a stray queue.py in the store's folder does not take the place of the library's."""

_LOCK = "worker.lock"


def worker_log(store: Path) -> Path:
    """The log of the worker in the background."""
    return files_beside(store) / LOG


def ensure_worker(store: Store, data: Path) -> bool:
    """Starts a worker in a session of its own where none is alive; whether it did.

    One on a store that may not be written to would have nothing to do.
    """
    if not os.access(store.path, os.W_OK) or someone_works(store):
        return False
    log = worker_log(store.path)
    log.parent.mkdir(parents=True, exist_ok=True)
    options = ["--only-one", "--until-idle", str(IDLE_MINUTES)]
    places = ["--db", str(store.path.resolve()), "--data-dir", str(data.resolve())]
    with log.open("ab") as output:
        subprocess.Popen(  # noqa: S603 - this program
            [*PROGRAM, "worker", *options, *places],
            cwd=store.path.resolve().parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            creationflags=getattr(subprocess, "DETACHED_PROCESS", 0),  # Windows has no sessions
        )
    return True


@contextlib.contextmanager
def only_worker(store: Store) -> Iterator[bool]:
    """Holds the place of the store's one worker; yields whether it was free, and no worker without it is alive."""
    from filelock import FileLock, Timeout

    store.files.mkdir(parents=True, exist_ok=True)
    lock = FileLock(store.files / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield not someone_works(store)
    finally:
        lock.release()


def someone_works(store: Store) -> bool:
    """Whether another process works at the store's queue."""
    me = process_owner()
    return any(worker.owner != me and is_alive(worker.owner, worker.heartbeat_at) for worker in store.workers())
