"""The command that a user wants run once a run has ended.

The store hands it out once; it runs in a session of its own, knows the run by its environment, and has no say in what
becomes of the run: whatever is wrong with it is a warning in the run's log.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Collection
from pathlib import Path

from agopconsole.store import RunRecord, Store

LIMIT_SECONDS = 600.0
"""How long a command may take."""

OUTPUT = "on_finish.txt"
"""In a run's folder: what its command printed."""

VARIABLES = (
    "id",
    "status",
    "name",
    "study",
    "method",
    "dataset",
    "model",
    "seed",
    "epoch",
    "best_val_accuracy",
    "test_accuracy",
    "loss_gap",
    "error",
)
"""What a command is told of the run, each as `AGOPCONSOLE_` and its name, the id as `AGOPCONSOLE_RUN_ID`."""


class FinishCommands:
    """The commands that one worker has started.

    Attributes:
        warnings: what went wrong with those that are over; for the person at the terminal, who takes them off.
    """

    def __init__(self, store: Store) -> None:
        self.warnings: list[str] = []
        self._store = store
        self._running: list[_Command] = []

    @property
    def running(self) -> bool:
        """Whether one is still at work."""
        return bool(self._running)

    def start_due(self, only: Collection[int] | None = None) -> None:
        """Starts the commands of runs (of `only`, where given) that have ended; each is started by one worker."""
        while (run := self._store.take_due_command(only)) is not None:
            try:
                self._running.append(_Command(self._store, run))
            except (OSError, ValueError) as error:
                self._warn(run, f"cannot be started: {error}")

    def settle(self) -> None:
        """Takes those off that are over, and ends those that take too long."""
        now = time.monotonic()
        for command in list(self._running):
            status = command.process.poll()
            if status is None and now < command.deadline:
                continue
            self._running.remove(command)
            if status is None:
                command.kill()
                self._warn(command.run, f"took more than {LIMIT_SECONDS:.0f} s and was ended")
            elif status != 0:
                self._warn(command.run, f"ended with status {status}; it printed {command.output}")

    def kill(self) -> None:
        """Ends all that are still at work."""
        for command in self._running:
            command.kill()
            self._warn(command.run, "was ended with the worker")
        self._running = []

    def _warn(self, run: RunRecord, text: str) -> None:
        if self._store.runs(ids=[run.id]):  # it may have been removed meanwhile
            self._store.log(run.id, "warning", f"the command of --on-finish {text}")
        self.warnings.append(f"{run.title}  the command of --on-finish {text}")


class _Command:
    """A command at work."""

    def __init__(self, store: Store, run: RunRecord) -> None:
        self.run = run
        self.output = store.run_files(run.id) / OUTPUT
        self.deadline = time.monotonic() + LIMIT_SECONDS
        self.output.parent.mkdir(parents=True, exist_ok=True)
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S602 - a command for the shell is what the user gave
                run.on_finish or "",
                shell=True,
                cwd=store.path.resolve().parent,
                env={**os.environ, **environment(run, store.path)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Ends the shell and all that it started."""
        with contextlib.suppress(ProcessLookupError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.process.wait()


def environment(run: RunRecord, store: Path) -> dict[str, str]:
    """What tells a command which run has ended and how; what is not known is empty."""
    told = {name: getattr(run, name) for name in VARIABLES}
    told["run_id"] = told.pop("id")
    told["db"] = store.resolve()
    return {f"AGOPCONSOLE_{name.upper()}": "" if value is None else str(value) for name, value in told.items()}
