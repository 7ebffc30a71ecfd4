"""What a run says of itself while it goes on; the job writes each event to the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agopconsole.errors import WorkError
from agopconsole.metrics import EpochAnsatz, EpochMetrics, LayerStart, StepMetrics


@dataclass(frozen=True, slots=True)
class Note:
    """A line for the run's log; `level` is `info` or `warning`."""

    message: str
    level: str = "info"


@dataclass(frozen=True, slots=True)
class Setup:
    """What the run trains on: its device, where its images came from, and the versions behind it."""

    device: str
    data_origin: str
    environment: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FeaturesReady:
    """Feature matrices were extracted into a file; the fields are the columns of the store's `features`."""

    key: str
    kind: str
    source: str
    model: str
    dataset: str
    images: int
    outputs: str
    relative_error: float | None
    layers: int
    seconds: float
    file: str


@dataclass(frozen=True, slots=True)
class Started:
    """The network before training, layer by layer."""

    layers: tuple[LayerStart, ...]


@dataclass(frozen=True, slots=True)
class StepsDone:
    """Optimiser steps since the last such event, thinned."""

    steps: tuple[StepMetrics, ...]


@dataclass(frozen=True, slots=True)
class EpochDone:
    """An epoch is over, and its checkpoint is on disk."""

    metrics: EpochMetrics


@dataclass(frozen=True, slots=True)
class AnsatzMeasured:
    """NFM and AGOP were correlated, layer by layer."""

    ansatz: EpochAnsatz


@dataclass(frozen=True, slots=True)
class Finished:
    """The run has trained to the end; the test accuracy is that of the epoch that validation chose."""

    test_accuracy: float | None
    at_chance: bool


Event = Note | Setup | FeaturesReady | Started | StepsDone | EpochDone | AnsatzMeasured | Finished


class DivergedError(WorkError):
    """The loss was not finite; the message names the epoch and the step."""


class OutOfMemoryError(WorkError):
    """The device's memory did not hold the run; a smaller micro-batch may fit."""


class StoppedError(WorkError):
    """The run was asked to stop, and has; its last checkpoint is the last whole epoch's."""
