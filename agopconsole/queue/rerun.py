"""Trains a stored run once more, beside the store, and says where its numbers part from the stored ones."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from agopconsole.backend import events
from agopconsole.backend.places import BEST_WEIGHTS, FEATURES, Places
from agopconsole.errors import RequestError
from agopconsole.metrics import EpochMetrics, LayerStart
from agopconsole.queue.code import code_state
from agopconsole.queue.job import Execute
from agopconsole.queue.paths import located
from agopconsole.store import RunRecord, Store

_CLOCKED = ("seconds", "images_per_second")
"""What no two runs have in common."""

Metrics = TypeVar("Metrics", EpochMetrics, LayerStart)


@dataclass(frozen=True, slots=True)
class Parting:
    """The first number that is not the stored one.

    Attributes:
        where: `at the start, features.0`, `in epoch 2`, `at the end`.
        name: of the number.
        stored, now: the two values.
    """

    where: str
    name: str
    stored: Any
    now: Any


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of training a run again.

    Attributes:
        run: the stored run.
        epochs: how many epochs are equal, bit for bit.
        parting: where the two part; None if they are equal to the end.
        environment: what is not as it was, by name: then and now.
        sources: ids of the runs that had to be trained again first, since their weights are not there.
    """

    run: RunRecord
    epochs: int
    parting: Parting | None
    environment: dict[str, tuple[Any, Any]]
    sources: tuple[int, ...]


def rerun(
    store: Store,
    run_id: int,
    *,
    data: Path,
    folder: Path,
    mirror: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
    execute: Execute | None = None,
) -> Verdict:
    """Trains a run again in `folder`, until it parts from the stored one or has ended; the store stays as it is.

    A source run whose best weights are no longer beside the store is trained again first, and must be equal itself.

    Args:
        store: that holds the run.
        run_id: the run.
        data: folder of the data sets.
        folder: an empty one, for all that it writes.
        mirror: where to fetch data sets and weights from.
        tell: takes a line for whoever watches.
        execute: the engine; None for the one of the package.

    Raises:
        RequestError: if there is no such run, or it came to no result.
        WorkError: if it cannot be trained here.
    """
    run = store.run(run_id)
    if run.status != "done" and not run.diverged:
        raise RequestError(f"run #{run_id} is {run.status}; only one that is done or diverged can be trained again")
    weights, sources = None, tuple[int, ...]()
    if run.source_run is not None:
        weights = store.run_files(run.source_run) / BEST_WEIGHTS
        if not weights.is_file():
            tell(f"run #{run.source_run}, its source, has left no weights here and is trained again first")
            before = rerun(store, run.source_run, data=data, folder=folder, mirror=mirror, tell=tell, execute=execute)
            if before.parting is not None:
                return before
            weights, sources = folder / str(run.source_run) / BEST_WEIGHTS, (*before.sources, run.source_run)
    places = Places(folder / str(run_id), folder / FEATURES, data, weights, mirror)
    places.run_files.mkdir(parents=True)
    return _Comparison(store, run, tell).follow(execute or _engine(), places, sources)


def _engine() -> Execute:
    from agopconsole.backend.run import execute

    return execute


class _Comparison:
    def __init__(self, store: Store, run: RunRecord, tell: Callable[[str], None]) -> None:
        self.run, self.tell = run, tell
        self.spec = replace(located(run.request, store.path), ansatz_epochs="")  # which leaves the numbers alone
        self.start, self.history = store.start(run.id), store.history(run.id)
        self.environment: dict[str, tuple[Any, Any]] = {}
        self.epochs = 0

    def follow(self, execute: Execute, places: Places, sources: tuple[int, ...]) -> Verdict:
        """Trains until a number differs or there are no more."""
        parting = None
        with _threads(self.run):
            happening = execute(
                self.spec, places, should_stop=lambda: False, report=self.tell, micro_batch=self.run.micro_batch
            )
            try:
                parting = next((found for event in happening if (found := self.compare(event))), None)
            except events.DivergedError as error:
                parting = self.ended("diverged", str(error))
        return Verdict(self.run, self.epochs, parting, self.environment, sources)

    def compare(self, event: events.Event) -> Parting | None:
        """Where the event is not what the store holds."""
        match event:
            case events.Setup():
                self.environment = _differing(self.run, event)
            case events.Started() if self.start:
                for stored, now in zip(self.start, event.layers, strict=True):
                    if parting := _parting(f"at the start, {now.layer}", stored, now):
                        return parting
            case events.EpochDone():
                return self.epoch(event.metrics)
            case events.Finished():
                return self.ended("done", event.test_accuracy)
        return None

    def epoch(self, now: EpochMetrics) -> Parting | None:
        """Where an epoch is not the stored one."""
        where = f"in epoch {now.epoch}"
        if now.epoch > len(self.history):
            return Parting(where, "status", self.run.error, "still training")
        parting = _parting(where, self.history[now.epoch - 1], now)
        if parting is None:
            self.epochs += 1
            self.tell(f"epoch {now.epoch}/{self.run.epochs} is equal")
        return parting

    def ended(self, how: str, result: Any) -> Parting | None:
        """Where the end is not the stored one: another status, or another test accuracy."""
        then = "diverged" if self.run.diverged else self.run.status
        if how != then or self.epochs < len(self.history):
            return Parting("at the end", "status", self.run.error or then, result if how == "diverged" else how)
        if how == "done" and result != self.run.test_accuracy:
            return Parting("at the end", "test_accuracy", self.run.test_accuracy, result)
        return None


def _parting(where: str, stored: Metrics, now: Metrics) -> Parting | None:
    for field in fields(now):
        then, value = getattr(stored, field.name), getattr(now, field.name)
        # The store keeps what is not finite as NULL.
        equal = then == value or (isinstance(value, float) and not math.isfinite(value) and math.isnan(then))
        if field.name not in _CLOCKED and not equal:
            return Parting(where, field.name, then, value)
    return None


def _differing(run: RunRecord, setup: events.Setup) -> dict[str, tuple[Any, Any]]:
    """What a run was trained with that is otherwise now."""
    then = {**json.loads(run.environment or "{}"), **json.loads(run.started_code or "{}")}
    now = {**setup.environment, **json.loads(code_state())}
    pairs = {name: (then.get(name), now.get(name)) for name in now if name in then and name != "version"}
    pairs |= {"device": (run.device, setup.device), "data": (run.data_origin, setup.data_origin)}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


@contextmanager
def _threads(run: RunRecord) -> Iterator[None]:
    """As many threads as the run had: sums that are shared out otherwise round otherwise."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(json.loads(run.environment or "{}").get("threads") or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
