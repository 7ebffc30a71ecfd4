"""Runs as TensorBoard's event files: a folder in which every run is a folder of its own.

Runs of the store in; for each its epochs and steps as scalars out, at the times at which they ended. TensorBoard's
own writer is an extra, imported here alone and only when it is asked for; it needs neither torch nor TensorFlow.
"""

from __future__ import annotations

import importlib.util
import platform
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from agopconsole.errors import RequestError
from agopconsole.metrics import EpochMetrics, StepMetrics
from agopconsole.store import RunRecord, Store
from agopconsole.wording import counted

Scalars = tuple[dict[str, float], int, float]
"""Values by tag, the epoch or step that they are of, and seconds since 1970."""

_FORMAT = "brain.Event:2"
"""What the first event of a file says it is."""

_OF_EPOCH: dict[str, Callable[[EpochMetrics], float]] = {
    "accuracy/train": lambda epoch: epoch.train_accuracy,
    "accuracy/validation": lambda epoch: epoch.val_accuracy,
    "loss/train": lambda epoch: epoch.train_loss,
    "loss/train_in_eval_mode": lambda epoch: epoch.fixed_train_loss,
    "loss/validation": lambda epoch: epoch.val_loss,
    "loss/gap": lambda epoch: epoch.loss_gap,
    "epoch/gradient_norm": lambda epoch: epoch.gradient_norm,
    "epoch/learning_rate": lambda epoch: epoch.learning_rate,
    "epoch/images_per_second": lambda epoch: epoch.images_per_second,
}
_OF_STEP: dict[str, Callable[[StepMetrics], float]] = {
    "step/loss": lambda step: step.loss,
    "step/gradient_norm": lambda step: step.gradient_norm,
    "step/learning_rate": lambda step: step.learning_rate,
}


def export_events(store: Store, runs: Sequence[RunRecord], folder: Path) -> str:
    """Writes runs as event files; what was written, in words.

    Raises:
        RequestError: if TensorBoard is not installed, or a run lies there already: two of its files would be drawn as
            one line.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise RequestError("event files need tensorboard; install it, or agopconsole with its extra 'tensorboard'")
    places = {run.id: folder / folder_name(run) for run in runs}
    if there := [place for place in places.values() if place.exists()]:
        raise RequestError(f"{there[0]} is there already; name another folder, or remove it first")
    histories = store.histories([run.id for run in runs])
    for run in runs:
        _write(places[run.id], _scalars(run, histories[run.id], store.steps(run.id)))
    return f"{counted(len(runs), 'run')} written to {folder}; `tensorboard --logdir {folder}` shows them"


def folder_name(run: RunRecord) -> str:
    """The name that TensorBoard gives a run: its method, its seed and its id, in letters that any file may have."""
    return f"{re.sub('[^A-Za-z0-9_.=-]+', '-', run.method)}-s{run.seed}-{run.id}"


def _scalars(run: RunRecord, history: Sequence[EpochMetrics], steps: Sequence[StepMetrics]) -> Iterator[Scalars]:
    """All numbers of a run, in the order of their times."""
    end = datetime.fromisoformat(run.started_at or run.created_at).timestamp()
    left = list(reversed(steps))
    for epoch in history:
        begin, end = end, end + (epoch.seconds if epoch.seconds > 0 else 0.0)
        first = left[-1].step if left else 0
        while left and left[-1].step <= epoch.step:
            step = left.pop()
            share = (step.step - first) / max(epoch.step - first, 1)
            yield _of_step(step), step.step, begin + share * (end - begin)
        yield {tag: of_epoch(epoch) for tag, of_epoch in _OF_EPOCH.items()}, epoch.epoch, end
    for step in reversed(left):  # of an epoch that has not ended
        yield _of_step(step), step.step, end


def _of_step(step: StepMetrics) -> dict[str, float]:
    return {tag: value(step) for tag, value in _OF_STEP.items()}


def _write(folder: Path, scalars: Iterable[Scalars]) -> None:
    """Writes the one file of a run, record by record: the writer of whole files hands each through a queue."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    events = [Event(wall_time=time.time(), file_version=_FORMAT)]
    events += [
        Event(
            wall_time=at,
            step=step,
            summary=Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]),
        )
        for values, step, at in scalars
    ]
    folder.mkdir(parents=True)
    with (folder / f"events.out.tfevents.{int(time.time())}.{platform.node()}").open("wb") as file:
        writer = RecordWriter(file)
        for event in events:
            writer.write(event.SerializeToString())
