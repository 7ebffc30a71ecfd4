"""How long runs will take, by stored runs like them: images a second in training, and the time of their evaluation.

Runs are alike that feed one network images of one size in batches of one size and in the same arithmetic, on the same
kind of device: what a GPU took says nothing of a processor. Of those alike the ones on such a device as is here
count, where there are any, and of these the ones on the same split; the others are scaled by the number of images.
What is like nothing in the store has no time: a guess would be worse than none.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median

from agopconsole import catalogue
from agopconsole.metrics import EpochMetrics
from agopconsole.spec import AUTO, RunSpec
from agopconsole.store import RunRecord, Store
from agopconsole.wording import counted

_NEWEST = 9
"""Runs whose median counts: enough against one that was disturbed, few enough to follow a machine that changed."""

_REMEMBERED = 1000
"""The newest runs of a store, beyond which none is asked."""

Kind = tuple[str, int, int, str]


@dataclass(frozen=True, slots=True)
class Machine:
    """Where runs are to be trained.

    Attributes:
        host: its name in the network.
        devices: what its makers call each device, by name; `auto` takes the first. Empty: not known.
    """

    host: str
    devices: Mapping[str, str]

    def device(self, wanted: str) -> str:
        """The device that a run gets which asks for `wanted`."""
        return next(iter(self.devices), "cpu") if wanted == AUTO else {"cuda": "cuda:0"}.get(wanted, wanted)


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long runs take one after another.

    Attributes:
        seconds: of those that are known, together; None where none is.
        known: how many these are.
        unknown: for each kind of run of which the store knows nothing, what it is and how many runs are of it.
        here: the stored runs on the devices of this machine that it rests on, by kind of device.
        elsewhere: those on other devices of the same kinds, for want of runs here.
        lacking: the kinds of device that the unknown ones are to be trained on.
    """

    seconds: float | None
    known: int
    unknown: Mapping[str, int]
    here: Mapping[str, int]
    elsewhere: Mapping[str, int]
    lacking: tuple[str, ...]

    def __str__(self) -> str:
        missing = ", ".join(f"{count} of {kind}" for kind, count in self.unknown.items())
        never = f"nothing comparable was ever trained on {' or '.join(map(_one, self.lacking))}"
        if self.seconds is None:
            return f"not known: {never} ({missing})" if missing else "nothing to train"
        text = f"about {duration(self.seconds)}"
        if missing:
            text += f" for {self.known} of them"
        text += f", from {' and '.join(self._grounds())}"
        return f"{text}; not known: {missing}, since {never}" if missing else text

    def _grounds(self) -> list[str]:
        """What it rests on: so many runs, on which device."""
        grounds = [
            f"{counted(count, 'run')} like these on this machine's {_named(kind)}"
            for kind, count in self.here.items()
        ]
        return grounds + [
            f"{counted(count, 'run')} like these on {_one(kind)} elsewhere (none on this machine's)"
            for kind, count in self.elsewhere.items()
        ]


@dataclass(frozen=True, slots=True)
class _Sample:
    """What one stored run tells, its newest epoch speaking for all: seconds an epoch, and beside its epochs."""

    run: int
    host: str | None
    device: str
    hardware: str
    split: tuple[object, ...]
    epoch_seconds: float
    training_share: float
    images: tuple[int, int] | None
    beside: float | None


class Paces:
    """What the runs of a store tell about speed.

    Args:
        runs: the stored runs, the oldest first.
        epochs: the last epoch of each that has one, by run id.
        machine: where the runs that are asked about are to be trained.
    """

    def __init__(self, runs: Iterable[RunRecord], epochs: Mapping[int, EpochMetrics], machine: Machine) -> None:
        self._machine = machine
        self._samples: dict[Kind, list[_Sample]] = {}
        self._found: dict[tuple[object, ...], list[_Sample]] = {}
        for run in runs:
            if run.id in epochs and run.device:
                spec = _stored_spec(run.spec)
                self._samples.setdefault(_kind(spec), []).append(_sample(run, spec, epochs[run.id]))

    def estimate(self, specs: Sequence[RunSpec]) -> Estimate:
        """The time of whole runs, one after another."""
        seconds, unknown, lacking = [], Counter[str](), dict[str, None]()
        used: dict[int, _Sample] = {}
        for spec in specs:
            found = self._like(spec)
            if found:
                used |= {sample.run: sample for sample in found}
                seconds.append(spec.epochs * _epoch_seconds(spec, found) + _beside(found))
            else:
                unknown[f"{spec.model} at {spec.fed_size} px in {spec.precision}, batches of {spec.batch_size}"] += 1
                lacking[_family(self._machine.device(spec.device))] = None
        here = Counter(sample.device for sample in used.values() if self._is_here(sample))
        elsewhere = Counter(sample.device for sample in used.values() if not self._is_here(sample))
        total = sum(seconds) if seconds else None
        return Estimate(total, len(seconds), dict(unknown), dict(here), dict(elsewhere), tuple(lacking))

    def left(self, runs: Iterable[RunRecord]) -> float | None:
        """Seconds until runs that are under way or still to come are over, one after another; None if not known."""
        if not self._samples:
            return None
        total = 0.0
        for run in runs:
            if run.status in catalogue.ENDED:
                continue
            spec = _stored_spec(run.spec)
            if run.status == "running" and run.device:
                spec = replace(spec, device=run.device)
            found = self._like(spec)
            if not found:
                return None
            beside = 0.0 if run.epoch else _beside(found)
            total += (run.epochs - run.epoch) * _epoch_seconds(spec, found) + beside
        return total

    def _like(self, spec: RunSpec) -> list[_Sample]:
        """The newest runs like that one: on the device that it gets, or else on others of its kind."""
        device, kind, split = self._machine.device(spec.device), _kind(spec), _split(spec)
        key = (device, kind, split)
        if key not in self._found:
            found = [sample for sample in self._samples.get(kind, []) if sample.device == _family(device)]
            found = [s for s in found if s.split == split or (s.images and split_sizes(spec))]
            found = [s for s in found if self._is_here(s, device)] or found
            found = [s for s in found if s.split == split] or found
            self._found[key] = found[-_NEWEST:]
        return self._found[key]

    def _is_here(self, sample: _Sample, device: str = "") -> bool:
        """Whether a run was trained on such a device as this machine has; on any of the kind, or on that one.

        Older runs do not say what their device is called, and many a machine bears the name of another.
        """
        names = [device] if device else [name for name in self._machine.devices if _family(name) == sample.device]
        titles = {self._machine.devices.get(name, "") for name in names} - {""}
        return sample.hardware in titles if sample.hardware and titles else sample.host == self._machine.host


def read_paces(store: Store, machine: Machine) -> Paces:
    """What the store tells about speed on that machine now."""
    epochs = store.last_epochs(_REMEMBERED)
    return Paces(store.runs(ids=epochs.keys()), epochs, machine)


def split_sizes(spec: RunSpec) -> tuple[int, int] | None:
    """How many images a run trains on and validates with, as published; None for a folder of pictures."""
    facts = catalogue.DATASETS.get(spec.dataset)
    if facts is None:
        return None
    whole = facts.train_in(spec.class_indices)
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
    environment = json.loads(run.environment or "{}")
    return _Sample(
        run=run.id,
        host=environment.get("node", run.host),
        device=_family(run.device or ""),
        hardware=environment.get("hardware", ""),
        split=_split(spec),
        epoch_seconds=epoch.seconds,
        training_share=share,
        images=images,
        beside=beside,
    )


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


_KINDS = {"cpu": "processor", "cuda": "GPU", "mps": "Apple GPU"}


def _named(family: str) -> str:
    return _KINDS.get(family, family)


def _one(family: str) -> str:
    return f"{'an' if family == 'mps' else 'a'} {_named(family)}"


_PARTS = ("model", "dataset", "image_size", "batch_size", "precision", "classes", "limit", "val_fraction", "device")


def _stored_spec(text: str) -> RunSpec:
    """Of a stored spec what counts here; to check ten thousand of them whole would take seconds."""
    stored = json.loads(text)
    return RunSpec(**{name: stored[name] for name in _PARTS if name in stored})
