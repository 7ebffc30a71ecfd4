"""Starts and ends the processes of jobs, each in a session of its own.

They are forked from the standard library's fork server, which has imported torch already, so that a job starts at
once. It touches no device and starts no threads, since neither survives a fork. Where there is no fork server, every
job is a fresh interpreter.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from multiprocessing import forkserver, resource_tracker

from agopconsole.queue import job
from agopconsole.queue.executor import Job
from agopconsole.queue.identity import is_alive, process_owner
from agopconsole.store import Owner, Store

ENGINE = "agopconsole.backend.run:execute"

_HAS_SERVER = "forkserver" in multiprocessing.get_all_start_methods()
_SIGNAL_NAMES = {number.value: number.name for number in signal.Signals}

_SLOW_IMPORTS = ("sqlite_utils", "sklearn.datasets")
"""What else most jobs import: it costs them a second, and the server once."""

_SERVER_GONE = 255
"""The exit code of a process whose fork server is not there to tell the true one."""

_SERVER_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",  # else numpy starts threads as soon as it is imported
    "PYTHONSAFEPATH": "1",  # else a stray queue.py where the user stands takes the place of the library's
}


def warm_up(engine: str) -> None:
    """Starts the fork server, which imports the engine meanwhile; does not wait for it."""
    if not _HAS_SERVER:
        return
    forkserver.set_forkserver_preload(["agopconsole.queue.job", engine.partition(":")[0], *_SLOW_IMPORTS])
    resource_tracker.ensure_running()
    with _environment(_SERVER_ENVIRONMENT), _deaf_to_the_terminal():
        forkserver.ensure_running()
    atexit.unregister(end_server)  # since this is called again for every job
    atexit.register(end_server)


def end_server() -> None:
    """Ends the fork server at once; when its jobs are gone it holds nothing, and by itself it takes seconds."""
    pid = getattr(forkserver._forkserver, "_forkserver_pid", None)  # the library tells it nowhere else
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


@contextlib.contextmanager
def _deaf_to_the_terminal() -> Iterator[None]:
    """Processes started meanwhile, and their children, never see Ctrl-C or a hang-up: the worker alone answers."""
    signals = {signal.SIGINT, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class LocalExecutor:
    """Processes of this machine."""

    def warm_up(self, engine: str) -> None:
        """Starts the fork server."""
        warm_up(engine)

    def start(self, assignment: job.Assignment, store: Store, owner: Owner, places: int) -> Job:  # noqa: ARG002
        """Starts the process of a job, which answers for its run itself."""
        return JobProcess(assignment)


class JobProcess:
    """The process of one job; see `executor.Job`.

    Attributes:
        run: the run as it was claimed.
        told_at: when it was told to stop, in seconds of the monotonic clock, or None.
    """

    def __init__(self, assignment: job.Assignment) -> None:
        warm_up(assignment.engine)
        self.run = assignment.run
        self.told_at: float | None = None
        context = multiprocessing.get_context("forkserver") if _HAS_SERVER else multiprocessing.get_context("spawn")
        self._process = context.Process(target=job.main, args=(assignment,), name=f"run {assignment.run.id}")
        self._process.start()
        self._owner = process_owner(self._process.pid)

    def attend(self) -> None:
        """Nothing: a process writes to the store itself."""

    @property
    def sentinel(self) -> int | None:
        """What becomes ready when the process ends; None when it says nothing any more."""
        return self._process.sentinel if self._process.exitcode is None else None

    @property
    def ended(self) -> bool:
        """Whether the process is gone; one that outlives the fork server is not."""
        return self._process.exitcode is not None and not is_alive(self._owner)

    @property
    def end(self) -> str:
        """How the process ended, in words."""
        code = self._process.exitcode
        if code is not None and code < 0:
            return f"its process was killed by {_SIGNAL_NAMES.get(-code, f'signal {-code}')}"
        return f"its process ended with status {code}"

    @property
    def was_killed(self) -> bool:
        """Whether something outside ended the process: a signal, or what ended the fork server too."""
        code = self._process.exitcode
        return code is not None and (code < 0 or code == _SERVER_GONE)

    @property
    def found_no_room(self) -> bool:
        """Whether the job ended because the disk is full."""
        return self._process.exitcode == job.NO_ROOM

    @property
    def failed(self) -> bool:
        """Whether the process ended by itself, but not as a job should."""
        return not self.was_killed and self._process.exitcode != 0

    def tell_to_stop(self) -> None:
        """Asks the job to stop at its next step."""
        if self.told_at is None:
            self.told_at = time.monotonic()
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the process and all that it started."""
        if self._owner is None or not is_alive(self._owner):
            return
        with contextlib.suppress(ProcessLookupError):
            if hasattr(os, "killpg") and os.getpgid(self._owner.pid) == self._owner.pid:
                os.killpg(self._owner.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def _signal(self, number: int) -> None:
        if self._owner is not None and is_alive(self._owner):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._owner.pid, number)
