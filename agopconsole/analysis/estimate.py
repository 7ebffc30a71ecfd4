"""How long runs will take, by stored runs like them: images a second in training, and the time of their evaluation.

Runs are alike that feed one network images of one size in batches of one size and in the same arithmetic. Of those
alike the ones on the same split count, where there are any; the others are scaled by the number of images. What is
like nothing in the store has no time: a guess would be worse than none.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from agopconsole import catalogue
from agopconsole.metrics import EpochMetrics
from agopconsole.spec import RunSpec
from agopconsole.store import RunRecord, Store

_NEWEST = 9
"""Runs whose median counts: enough against one that was disturbed, few enough to follow a machine that changed."""

_REMEMBERED = 1000
"""The newest runs of a store, beyond which none is asked."""

Kind = tuple[str, int, int, str]


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long runs take one after another.

    Attributes:
        seconds: of those that are known, together; None where none is.
        known: how many these are.
        unknown: for each kind of run of which the store knows nothing, what it is and how many runs are of it.
        elsewhere: whether some of it was measured on another machine, for want of runs on this one.
    """

    seconds: float | None
    known: int
    unknown: Mapping[str, int]
    elsewhere: bool

    def __str__(self) -> str:
        missing = ", ".join(f"{count} of {kind}" for kind, count in self.unknown.items())
        if self.seconds is None:
            return f"not known: no run like these has trained here yet ({missing})" if missing else "nothing to train"
        text = f"about {duration(self.seconds)}"
        if missing:
            text += f" for {self.known} of them; not known: {missing}, for want of runs like these"
        return f"{text} (as measured on another machine)" if self.elsewhere else text


@dataclass(frozen=True, slots=True)
class _Sample:
    """What one stored run tells, its newest epoch speaking for all: seconds an epoch, and beside its epochs."""

    host: str | None
    device: str
    split: tuple[object, ...]
    epoch_seconds: float
    training_share: float
    images: tuple[int, int] | None
    beside: float | None


class Paces:
    """What the runs of a store tell about speed.

    Args:
        runs: the stored runs.
        epochs: the last epoch of each that has one, by run id.
        host: this machine; runs of others count where it has none.
    """

    def __init__(self, runs: Iterable[RunRecord], epochs: Mapping[int, EpochMetrics], host: str) -> None:
        self._host = host
        self._samples: dict[Kind, list[_Sample]] = {}
        for run in runs:
            if run.id in epochs and run.device:
                spec = _stored_spec(run.spec)
                self._samples.setdefault(_kind(spec), []).append(_sample(run, spec, epochs[run.id]))

    def estimate(self, specs: Sequence[RunSpec]) -> Estimate:
        """The time of whole runs, one after another."""
        seconds, unknown, elsewhere = [], dict[str, int](), False
        for spec in specs:
            found = self._like(spec)
            if found:
                elsewhere = elsewhere or found[0].host != self._host
                seconds.append(spec.epochs * _epoch_seconds(spec, found) + _beside(found))
            else:
                words = f"{spec.model} at {spec.fed_size} px in {spec.precision}, batches of {spec.batch_size}"
                unknown[words] = unknown.get(words, 0) + 1
        return Estimate(sum(seconds) if seconds else None, len(seconds), unknown, elsewhere)

    def left(self, runs: Sequence[RunRecord]) -> float | None:
        """Seconds until runs that are under way or still to come are over, one after another; None if not known."""
        if not self._samples:
            return None
        total = 0.0
        for run in runs:
            if run.status in catalogue.ENDED:
                continue
            found = self._like(run.request)
            if not found:
                return None
            beside = 0.0 if run.epoch else _beside(found)
            total += (run.epochs - run.epoch) * _epoch_seconds(run.request, found) + beside
        return total

    def _like(self, spec: RunSpec) -> list[_Sample]:
        """The newest runs like that one: on the same split rather than another, here rather than elsewhere."""
        images, split = split_sizes(spec), _split(spec)
        found = [
            sample for sample in self._samples.get(_kind(spec), []) if _family(spec.device) in ("auto", sample.device)
        ]
        found = [s for s in found if s.split == split] or [s for s in found if images and s.images]
        found = [s for s in found if s.host == self._host] or found
        return found[-_NEWEST:]


def read_paces(store: Store) -> Paces:
    """What the store tells about speed now."""
    epochs = store.last_epochs(_REMEMBERED)
    return Paces(store.runs(ids=epochs.keys()), epochs, platform.node())


def split_sizes(spec: RunSpec) -> tuple[int, int] | None:
    """How many images a run trains on and validates with, as published; None for a folder of pictures."""
    facts = catalogue.DATASETS.get(spec.dataset)
    if facts is None:
        return None
    whole = facts.train * (len(spec.class_indices) if spec.class_indices else facts.classes) // facts.classes
    held_out = round(spec.val_fraction * whole)
    return max(1, min(whole - held_out, spec.limit or whole)), max(1, held_out)


def duration(seconds: float) -> str:
    """A length of time in two units at most."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{max(seconds, 0):.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02}"
    return f"{minutes / 60 / 24:.0f} days"


def _sample(run: RunRecord, spec: RunSpec, epoch: EpochMetrics) -> _Sample:
    images = split_sizes(spec)
    training = images[0] / epoch.images_per_second if images and epoch.images_per_second > 0 else epoch.seconds
    beside = None
    if run.status == "done" and run.attempts == 1 and run.started_at and run.ended_at:
        whole = datetime.fromisoformat(run.ended_at) - datetime.fromisoformat(run.started_at)
        beside = max(0.0, whole.total_seconds() - run.epoch * epoch.seconds)
    share = min(1.0, training / epoch.seconds) if epoch.seconds > 0 else 1.0
    return _Sample(run.host, _family(run.device or ""), _split(spec), epoch.seconds, share, images, beside)


def _epoch_seconds(spec: RunSpec, samples: Sequence[_Sample]) -> float:
    images = split_sizes(spec)
    seconds = []
    for sample in samples:
        training, evaluation = 1.0, 1.0
        if images and sample.images:
            training, evaluation = (images[i] / sample.images[i] for i in (0, 1))
        share = sample.training_share
        seconds.append(sample.epoch_seconds * (share * training + (1 - share) * evaluation))
    return median(seconds)


def _beside(samples: Sequence[_Sample]) -> float:
    """Seconds that a run takes beside its epochs: loading, its start, its test."""
    known = [sample.beside for sample in samples if sample.beside is not None]
    return median(known) if known else 0.0


def _kind(spec: RunSpec) -> Kind:
    return spec.model, spec.fed_size, spec.batch_size, spec.precision


def _split(spec: RunSpec) -> tuple[object, ...]:
    return spec.dataset, spec.classes, spec.limit, spec.val_fraction


def _family(device: str) -> str:
    return device.partition(":")[0]


_PARTS = ("model", "dataset", "image_size", "batch_size", "precision", "classes", "limit", "val_fraction")


def _stored_spec(text: str) -> RunSpec:
    """Of a stored spec what counts here; to check ten thousand of them whole would take seconds."""
    stored = json.loads(text)
    return RunSpec(**{name: stored[name] for name in _PARTS if name in stored})
