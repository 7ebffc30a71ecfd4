"""Runs on a Ray cluster: Ray places them and moves their files; they report here, and only the worker writes SQLite.

A run is one actor. It gets the files that it starts from as bytes, streams back what happens together with the files
that it has written so far, and dies with the worker. Whatever becomes of it, the worker's own rules hold: what Ray
loses is in the queue again, and goes on from the last checkpoint that has arrived.
"""

from __future__ import annotations

import importlib
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from agopconsole.backend.places import BEST_WEIGHTS
from agopconsole.errors import AgopconsoleError, NoRoomError, RequestError, WorkError
from agopconsole.queue.code import code_state
from agopconsole.queue.job import OUTPUT, Assignment, record, settle
from agopconsole.queue.paths import located
from agopconsole.queue.ray_actor import RUN, Message, Order, Trainer, write
from agopconsole.queue.slots import Slots
from agopconsole.store import Owner, Store

_MOST_AT_ONCE = 200
"""Messages of one run that are taken in before the worker looks at the others."""


class RayExecutor:
    """A connection to a Ray cluster.

    Args:
        address: of the cluster; None for the one that Ray finds by itself, or else one of this machine alone.

    Raises:
        RequestError: if ray is not installed.
        WorkError: if there is no cluster at that address.
    """

    def __init__(self, address: str | None) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            ray: Any = importlib.import_module("ray")
        except ImportError:
            raise RequestError("the executor ray needs the package ray: pip install 'agopconsole[ray]'") from None
        self._ray = ray
        self._code = code_state()
        options = {"log_to_driver": False, "logging_level": "ERROR"}
        try:
            ray.init(address, **options) if address else ray.init(include_dashboard=False, **options)
        except Exception as error:  # noqa: BLE001 - Ray raises bare ones
            ray.shutdown()  # whatever of it has started
            what = f"there is no Ray cluster at {address}" if address else "a Ray cluster cannot be started here"
            raise WorkError(f"{what}: {str(error).partition(chr(10))[0]}") from None
        resources = ray.cluster_resources()
        self.gpus = int(resources.get("GPU", 0))
        self._cpus = int(resources.get("CPU", 1))
        self._hosts = sum(1 for node in ray.nodes() if node["Alive"])

    def slots(self, each: int) -> Slots:
        """So many runs at once on each GPU of the cluster or, where it has none, on each of its machines."""
        from agopconsole.queue.devices import ANY

        return Slots([ANY], each * (self.gpus or self._hosts))

    def warm_up(self, engine: str) -> None:
        """Nothing: an actor imports what it needs."""

    def start(self, assignment: Assignment, store: Store, owner: Owner, places: int) -> RayJob:
        """Has a run trained on one of `places` equal parts of the cluster."""
        on_gpu = self.gpus and assignment.run.asked["device"] != "cpu"
        trainer = self._ray.remote(Trainer).options(
            max_concurrency=2, num_cpus=max(1, self._cpus // places), num_gpus=self.gpus / places if on_gpu else 0
        )
        return RayJob(self._ray, trainer.remote(), assignment, store, owner, self._code)


class RayJob:
    """One run on the cluster, as its worker sees it; see `executor.Job`."""

    sentinel = None
    failed = False

    def __init__(self, ray: Any, actor: Any, assignment: Assignment, store: Store, owner: Owner, code: str) -> None:
        self.run = assignment.run
        self.told_at: float | None = None
        self.end = ""
        self.was_killed = False
        self.found_no_room = False
        self.ended = False
        self._ray = ray
        self._actor = actor
        self._store = store
        store.adopt(assignment.run, owner)  # the worker answers for it, since no process here does
        order = _order(assignment, store, code)
        self._messages = actor.train.options(num_returns="streaming").remote(order)

    def attend(self) -> None:
        """Takes in what the run has said since the last time."""
        for _ in range(_MOST_AT_ONCE):
            if self.ended or not self._ray.wait([self._messages], timeout=0, fetch_local=False)[0]:
                return
            try:
                message = self._ray.get(next(self._messages))
            except (StopIteration, self._ray.exceptions.RayError) as error:
                self._over(f"its Ray actor is gone: {str(error).partition(chr(10))[0] or type(error).__name__}")
                self.was_killed = True
            else:
                self._take_in(message)

    def _take_in(self, message: Message) -> None:
        for path, content in message.files.items():
            kind, _, name = path.partition("/")
            folder = self._store.run_files(self.run.id) if kind == RUN else self._store.files / kind
            write(folder / name, content)
        if message.event is not None:
            record(self._store, self.run.id, message.event)
        if message.over:
            self._over("its Ray actor ended")
            self.found_no_room = isinstance(message.error, NoRoomError)
            if message.bug is not None:
                reason, trace = message.bug
                self._store.log(self.run.id, "error", trace)
                self._store.finish(self.run.id, "failed", reason)
            elif not self.found_no_room:
                settle(self._store, self.run, lambda: _fail(message.error))

    def _over(self, end: str) -> None:
        self.ended, self.end = True, end
        self._ray.kill(self._actor)  # else it keeps its place on the cluster

    def tell_to_stop(self) -> None:
        """Asks the run to stop at its next step."""
        if self.told_at is None:
            self.told_at = time.monotonic()
            self._actor.stop.remote()

    def kill(self) -> None:
        """Ends the run at once."""
        if not self.ended:
            self._over("its Ray actor was killed")
            self.was_killed = True


def _fail(error: AgopconsoleError | None) -> None:
    if error is not None:
        raise error


def _order(assignment: Assignment, store: Store, code: str) -> Order:
    """What the actor needs, with the files that lie here."""
    run = assignment.run
    files: dict[str, bytes] = {}
    named: dict[str, str] = {}

    def take(path: Path) -> Path:
        if path.is_file():
            named[str(path)] = f"named/{path.name}"
            files[named[str(path)]] = path.read_bytes()
        return path

    spec = located(run.request, store.path).relocate(take)
    for path in store.run_files(run.id).glob("*"):
        if path.is_file() and path.name != OUTPUT:
            files[f"{RUN}/{path.name}"] = path.read_bytes()
    if run.source_run is not None and (store.run_files(run.source_run) / BEST_WEIGHTS).exists():
        files[BEST_WEIGHTS] = (store.run_files(run.source_run) / BEST_WEIGHTS).read_bytes()
    device = "auto" if spec.device.startswith("cuda") else spec.device  # which GPU is for Ray to say
    return Order(
        replace(spec, device=device),
        assignment.engine,
        files,
        named,
        run.source_run is not None,
        assignment.data,
        assignment.mirror,
        run.micro_batch,
        code,
    )
