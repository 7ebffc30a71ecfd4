"""One run in a process of its own: the engine's events go into the store, and its end becomes the run's status.

A job stops at the next step when it is told to (SIGTERM), and when the worker that started it is gone.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import math
import multiprocessing
import os
import signal
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol, cast

from agopconsole.backend import events
from agopconsole.backend.heap import keep_freed_memory
from agopconsole.backend.places import BEST_WEIGHTS, FEATURES, Places
from agopconsole.errors import AgopconsoleError, NoRoomError, RequestError
from agopconsole.queue.devices import ANY, Device
from agopconsole.queue.identity import process_owner
from agopconsole.queue.paths import located
from agopconsole.queue.slots import Place
from agopconsole.spec import RunSpec
from agopconsole.store import REFUSED, RunRecord, Store
from agopconsole.wording import counted

OUTPUT = "output.txt"
"""In a run's folder: what its process printed, the last words of a library that crashed included."""

GRACE_SECONDS = 30.0
"""How long a job that was told to stop may take for its step."""


NO_ROOM = 74
"""The exit code of a job that ended because the disk is full."""


class Execute(Protocol):
    """The engine's entry, `agopconsole.backend.run.execute`, or what stands in for it."""

    def __call__(
        self,
        spec: RunSpec,
        places: Places,
        *,
        should_stop: Callable[[], bool],
        report: Callable[[str], None],
        micro_batch: int | None,
    ) -> Iterator[events.Event]:
        """Trains `spec`, yielding what happens; `report` takes lines of progress between two events."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a worker hands to the process of a job.

    Attributes:
        run: the run as it was claimed.
        mirror: where to fetch data and weights from, in place of their published addresses.
        engine: the engine's entry as `module:function`.
        place: the device that the process is bound to, and its threads.
    """

    run: RunRecord
    store: Path
    data: Path
    mirror: str | None
    engine: str
    place: Place


def main(assignment: Assignment) -> None:
    """The whole life of a job's process."""
    _bind(assignment.place)
    keep_freed_memory()
    stop = _StopSign()
    signal.signal(signal.SIGTERM, stop.set)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setsid"):
        os.setsid()
    threading.Thread(target=_follow_parent, args=(stop,), daemon=True).start()
    owner = process_owner()
    assert owner is not None
    try:
        with Store(assignment.store) as store:
            if store.adopt(assignment.run, owner):
                work(store, assignment, stop)
    except NoRoomError as error:
        sys.exit(_say(error))


def _say(error: NoRoomError) -> int:
    with contextlib.suppress(OSError):  # of the disk that is full
        print(error, file=sys.stderr)  # noqa: T201 - goes to the run's output
    return NO_ROOM


def _bind(place: Place) -> None:
    """Lets the process see its device alone, and take its share of the cores."""
    os.environ.update(place.device.environment())
    if place.threads is not None:
        import torch

        torch.set_num_threads(min(place.threads, torch.get_num_threads()))


class _StopSign:
    def __init__(self) -> None:
        self.is_set = False

    def set(self, *_: object) -> None:
        self.is_set = True

    def __call__(self) -> bool:
        return self.is_set


def _follow_parent(stop: _StopSign) -> None:
    """Stops the job when the worker is gone: in peace if it can, and in any case."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    stop.set()
    time.sleep(GRACE_SECONDS)
    os._exit(1)


def work(store: Store, assignment: Assignment, should_stop: Callable[[], bool]) -> None:
    """Trains the run and records all that it says; whatever happens to it becomes its status."""
    settle(store, assignment.run, lambda: _train(store, assignment, should_stop))


def _train(store: Store, assignment: Assignment, should_stop: Callable[[], bool]) -> None:
    run = assignment.run
    _keep_output(store.run_files(run.id))
    execute = load_engine(assignment.engine)
    device = assignment.place.device
    spec, places = located(run.request, store.path), _places(store, assignment)
    for event in execute(
        spec if device == ANY else replace(spec, device=device.inside),
        places,
        should_stop=should_stop,
        report=lambda line: store.log(run.id, "info", line),
        micro_batch=run.micro_batch,
    ):
        record(store, run.id, _from_outside(event, device))


def settle(store: Store, run: RunRecord, train: Callable[[], None]) -> None:
    """Has the run trained; how that ends becomes its status.

    Raises:
        NoRoomError: if the disk is full; the run is in the queue again.
    """
    try:
        train()
    except events.StoppedError as error:
        store.log(run.id, "info", str(error))
        store.put_down(run)
    except events.OutOfMemoryError as error:
        _try_smaller(store, run, str(error))
    except NoRoomError as error:
        store.give_back(run, str(error), counts=False)
        raise
    except sqlite3.Error:
        raise  # there is nowhere to write it
    except RequestError as error:
        store.finish(run.id, "failed", f"{REFUSED}{error}")
    except AgopconsoleError as error:
        store.finish(run.id, "failed", str(error), diverged=isinstance(error, events.DivergedError))
    except Exception as error:  # noqa: BLE001 - whatever a library raises is this run's failure, not the queue's
        store.log(run.id, "error", traceback.format_exc().rstrip())
        store.finish(run.id, "failed", reason_of(error))
    else:
        store.finish(run.id, "done")


def _from_outside(event: events.Event, device: Device) -> events.Event:
    """The event with the device's own name: a process that is bound to a GPU calls it the first, whichever it is."""
    return replace(event, device=device.name) if isinstance(event, events.Setup) and device.uuid else event


def _try_smaller(store: Store, run: RunRecord, reason: str) -> None:
    """One more attempt, in a process that starts with free memory, with half as many images at once."""
    if run.micro_batch is not None or run.batch_size < 2:
        count = run.micro_batch or 1
        images = f"{counted(count, 'image')} at once {'is' if count == 1 else 'are'}"
        store.finish(run.id, "failed", f"{reason}; {images} too many")
    else:
        store.shrink(run, math.ceil(run.batch_size / 2), reason)


def record(store: Store, run_id: int, event: events.Event) -> None:
    """Writes one event of the engine to the store."""
    match event:
        case events.Note():
            store.log(run_id, event.level, event.message)
        case events.Setup():
            store.record_setup(
                run_id, device=event.device, data_origin=event.data_origin, environment=event.environment
            )
        case events.FeaturesReady():
            store.record_features(asdict(event))
        case events.Started():
            store.record_start(run_id, event.layers)
        case events.StepsDone():
            store.record_steps(run_id, event.steps)
        case events.EpochDone():
            store.record_epoch(run_id, event.metrics)
        case events.AnsatzMeasured():
            store.record_ansatz(run_id, event.ansatz)
        case events.Finished():
            store.record_result(run_id, test_accuracy=event.test_accuracy, at_chance=event.at_chance)


def load_engine(engine: str) -> Execute:
    """The engine's entry of that name, `module:function`."""
    module, _, name = engine.partition(":")
    return cast(Execute, getattr(importlib.import_module(module), name))


def _places(store: Store, assignment: Assignment) -> Places:
    source = assignment.run.source_run
    return Places(
        run_files=store.run_files(assignment.run.id),
        features=store.files / FEATURES,
        data=assignment.data,
        source=store.run_files(source) / BEST_WEIGHTS if source is not None else None,
        mirror=assignment.mirror,
    )


def _keep_output(folder: Path) -> None:
    """Sends what the process and its libraries print to a file: it would smear the screen, or be lost."""
    folder.mkdir(parents=True, exist_ok=True)
    file = os.open(folder / OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
    faulthandler.enable(file=2)


def last_words(folder: Path) -> str:
    """The last line that a run's process printed; empty where there is none."""
    try:
        lines = (folder / OUTPUT).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def reason_of(error: Exception) -> str:
    """What a library's error says, in one line."""
    first_line = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__
