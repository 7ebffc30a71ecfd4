"""Works through the queue: claims runs, starts their jobs, keeps them alive in the store, passes on requests to stop.

Everything happens in `step`, which a loop repeats a few times a second; between two steps a caller may draw a screen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from multiprocessing.connection import wait
from pathlib import Path
from types import TracebackType
from typing import Self

from agopconsole.errors import NoRoomError, WorkError
from agopconsole.queue import launch
from agopconsole.queue.code import code_state
from agopconsole.queue.devices import ANY
from agopconsole.queue.executor import Executor, Job
from agopconsole.queue.identity import is_alive, process_owner
from agopconsole.queue.interrupts import Interrupts
from agopconsole.queue.job import GRACE_SECONDS, Assignment, last_words
from agopconsole.queue.launch import LocalExecutor
from agopconsole.queue.on_finish import FinishCommands
from agopconsole.queue.slots import Place, Slots
from agopconsole.store import REFUSED, RunRecord, Store

POLL_SECONDS = 0.2
HEARTBEAT_SECONDS = 5.0
RESCUE_SECONDS = 2.0
"""How often a worker looks for runs whose process is gone."""

_AT_WORK = ("queued", "running")
"""What a drained queue has none of; a run that waits then can only wait for one that is paused."""


class Worker:
    """One worker on a store; a context manager, since it answers signals and owns processes.

    The first SIGINT, SIGTERM or SIGHUP stops it in peace: no new runs, and each job stops at its next step with its
    last checkpoint. The second ends the jobs at once, the third whatever the worker itself is at.

    Attributes:
        slots: its devices, and how many runs each of them takes.
        signals: those that came, in order.
        commands: of `--on-finish`, that it has started.
    """

    def __init__(
        self,
        store: Store,
        data: Path,
        *,
        mirror: str | None = None,
        engine: str | None = None,
        slots: Slots | None = None,
        on_finish: str | None = None,
        executor: Executor | None = None,
    ) -> None:
        self.store = store
        self.data = data
        self.mirror = mirror
        self.on_finish = on_finish
        self.commands = FinishCommands(store)
        self._interrupts = Interrupts()
        self.signals = self._interrupts.came
        self._engine = engine or launch.ENGINE
        self.slots = slots or Slots([ANY], 1)
        self._executor = executor or LocalExecutor()
        self._jobs: dict[int, Job] = {}
        self._full_disk = ""
        self._next_rescue = 0.0
        self._next_heartbeat = 0.0
        me = process_owner()
        assert me is not None
        self._me = me
        self._id: int | None = None
        self._code = code_state()  # jobs are copies of this process's code, whatever is edited meanwhile

    def __enter__(self) -> Self:
        self._interrupts.listen()
        self._id = self.store.register_worker(
            self._me, devices=[device.name for device in self.slots.devices], slots=self.slots.each
        )
        self._next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS
        self._executor.warm_up(self._engine)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        deadline = time.monotonic() + (0.0 if isinstance(error, KeyboardInterrupt) else GRACE_SECONDS)
        for job in self._jobs.values():
            job.tell_to_stop()
        while self._jobs or self.commands.running:
            if time.monotonic() > deadline or len(self.signals) > 1:
                for job in self._jobs.values():
                    job.kill()
                self.commands.kill()
            self._wait()
            self._reap()
            self.commands.settle()
        if self._id is not None:
            self.store.forget_workers([self._id])
        self._interrupts.deafen()

    def run(
        self,
        *,
        drain: bool,
        patience: float = 0.0,
        only: Collection[int] | None = None,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """Works until it is interrupted or, with `drain`, until every run (of `only`) has ended, whoever ran it.

        Runs that ask for a device which this worker does not have are left to others.

        Args:
            drain: whether to return when there is nothing left to do.
            patience: for how many seconds there must have been nothing.
            only: the runs to touch; None for all.
            meanwhile: called between two steps.

        Raises:
            NoRoomError: when the disk is full; what was running is in the queue again.
            WorkError: when a newer version has migrated the store, likewise.
        """
        busy_at = time.monotonic()
        while True:
            self.step(only)
            meanwhile()
            if self._jobs:
                busy_at = time.monotonic()
            elif self.signals:
                break
            elif drain and self.store.open_count(only, _AT_WORK, self.slots.accepted):
                busy_at = time.monotonic()
            elif drain and time.monotonic() >= busy_at + patience:
                break
            self._wait()
        self.run_commands(only, meanwhile)

    def run_commands(self, only: Collection[int] | None, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Runs the commands of runs (of `only`, where given) that have ended, and waits until they are over."""
        self._run_due(only)
        while self.commands.running and len(self.signals) < 2:
            meanwhile()
            self._wait()
            self._run_due(only)
            self._send_heartbeat()
        meanwhile()

    def _run_due(self, only: Collection[int] | None) -> None:
        self.commands.settle()
        if len(self.signals) < 2:  # else it would be ended at once, and no one would start it again
            self.commands.start_due(only)

    def step(self, only: Collection[int] | None = None) -> None:
        """Does all that is due now."""
        self._reap()
        if self._full_disk:
            raise NoRoomError(self._full_disk)
        if self.store.outgrown:
            raise WorkError(
                f"a newer agopconsole has migrated the store {self.store.path}; what was running is in the queue"
                " again, and goes on once a worker of that version is started"
            )
        self._rescue()
        self._stop_jobs()
        self._run_due(only)
        while not self.signals and self._start_next(only):
            pass
        self._send_heartbeat()

    def _wait(self) -> None:
        sentinels = [job.sentinel for job in self._jobs.values() if job.sentinel is not None]
        if sentinels:
            wait(sentinels, POLL_SECONDS)
        else:
            time.sleep(POLL_SECONDS)

    def _reap(self) -> None:
        """Settles the runs whose process has ended, where the job could not do so itself."""
        for job in self._jobs.values():
            job.attend()
        for run_id in [run_id for run_id, job in self._jobs.items() if job.ended]:
            job = self._jobs.pop(run_id)
            self.slots.leave(run_id)
            if job.told_at is not None or (job.failed and self.store.outgrown):
                self.store.put_down(job.run)
            elif job.was_killed:
                self.store.give_back(job.run, job.end)
            elif job.found_no_room:
                self._full_disk = (
                    f"the disk is full; run #{run_id} goes on from its last checkpoint once a worker is started again"
                )
                self.store.give_back(job.run, "the disk is full", counts=False)
            elif job.failed and self.store.run(run_id).status == "running":
                said = last_words(self.store.run_files(run_id))
                self.store.finish(run_id, "failed", f"{job.end}: {said}" if said else job.end)

    def _rescue(self) -> None:
        """Puts runs of dead workers back into the queue, and takes these off the list."""
        if time.monotonic() < self._next_rescue:
            return
        self._next_rescue = time.monotonic() + RESCUE_SECONDS
        for run in self.store.running():
            if run.id not in self._jobs and not is_alive(run.owner, run.heartbeat_at):
                # A worker that dies before the run has a process of its own says nothing about the run.
                reason = f"its process (pid {run.pid} on {run.host}) is gone"
                self.store.give_back(run, reason, counts=bool(run.begun))
        gone = [worker.id for worker in self.store.workers() if not is_alive(worker.owner, worker.heartbeat_at)]
        if gone:
            self.store.forget_workers(gone)

    def _stop_jobs(self) -> None:
        """Passes on requests to stop, and ends what does not listen."""
        now = time.monotonic()
        for run in self.store.runs(ids=self._jobs.keys()) if self._jobs else []:
            job = self._jobs[run.id]
            if self.signals or run.stop_requested or run.status != "running":
                job.tell_to_stop()
            if len(self.signals) > 1 or (job.told_at is not None and now > job.told_at + GRACE_SECONDS):
                job.kill()

    def _start_next(self, only: Collection[int] | None) -> bool:
        """Starts the next run that there is a place for; False if there is none."""
        if len(self._jobs) == self.slots.count or not self.store.open_count(only, ("queued",)):
            return False  # so that an idle worker does not ask the driver for memory
        for place in self.slots.free():
            devices = self.slots.accepts(place.device)
            run = self.store.claim(self._me, only, devices=devices, on_finish=self.on_finish)
            if run is not None:
                self._start(run, place)
                return True
        return False

    def _start(self, run: RunRecord, place: Place) -> None:
        self.slots.take(run.id, place)
        self.store.record_code(run, self._code)
        if run.unknown:
            self.store.finish(run.id, "failed", f"{REFUSED}this version cannot train it: {run.unknown}")
            self.slots.leave(run.id)
            return
        try:
            assignment = Assignment(
                run, self.store.path.resolve(), self.data.resolve(), run.mirror or self.mirror, self._engine, place
            )
            self._jobs[run.id] = self._executor.start(assignment, self.store, self._me, self.slots.count)
        except (OSError, EOFError) as error:
            self.store.put_down(run)
            self.slots.leave(run.id)
            raise WorkError(f"a process for run #{run.id} cannot be started: {error}") from error

    def _send_heartbeat(self) -> None:
        if time.monotonic() >= self._next_heartbeat:
            self._next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS
            self.store.heartbeat(self._jobs, self._id)
