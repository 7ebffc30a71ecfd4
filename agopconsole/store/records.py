"""The rows of the store as the rest of the project sees them."""

from __future__ import annotations

import json
import math
import operator
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, TypeVar

from agopconsole.errors import RequestError
from agopconsole.metrics import EpochMetrics, LayerAnsatz, LayerStart, StepMetrics
from agopconsole.spec import SOURCE_NAME, RunSpec

IMPORTED = "imported from "
"""How the origin of the data begins of a run that something else trained."""

REFUSED = "refused: "
"""How the error begins of a run that the engine found to be asked for wrongly."""

Metrics = TypeVar("Metrics", EpochMetrics, StepMetrics, LayerStart, LayerAnsatz)


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that answers for a running run; no two processes are equal, not even across a reboot."""

    host: str
    boot_id: str
    pid: int
    pid_started: float


@dataclass(frozen=True)
class RunRecord:
    """One row of `runs`; times are UTC in ISO 8601, accuracies percentages, flags 0 or 1.

    `attempts` counts the claims, `deaths` the processes that died since it last got further; `micro_batch` is how
    many images go through the network at once where memory does not hold a whole batch. `begun` is whether the
    process of its own has taken it over from the worker that claimed it. `on_finish` is a command to be run once the
    run has ended, and `on_finish_due` whether that is still to be done. `queued_code` and `started_code` say as JSON
    which code asked for the run and which one trained it last.
    """

    id: int
    name: str
    study: str
    status: str
    method: str
    twin: str | None
    init: str
    dataset: str
    model: str
    source: str | None
    seed: int
    epochs: int
    batch_size: int
    lr: float
    epoch: int
    best_epoch: int | None
    best_val_accuracy: float | None
    final_val_accuracy: float | None
    test_accuracy: float | None
    loss_gap: float | None
    poster_loss_gap: float | None
    diverged: int
    at_chance: int
    error: str | None
    attempts: int
    deaths: int
    priority: int
    source_run: int | None
    cancel_requested: int
    created_at: str
    started_at: str | None
    ended_at: str | None
    host: str | None
    boot_id: str | None
    pid: int | None
    pid_started: float | None
    heartbeat_at: str | None
    device: str | None
    data_origin: str | None
    environment: str | None
    fingerprint: str
    spec: str
    pause_requested: int
    micro_batch: int | None
    begun: int
    mirror: str | None
    on_finish: str | None
    on_finish_due: int
    queued_code: str | None
    started_code: str | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> RunRecord:
        """The record of a `SELECT *` row; columns of a later minor version are left aside."""
        return cls.from_values(_columns(row))

    @classmethod
    def from_values(cls, values: Iterable[Any]) -> RunRecord:
        """The record of the columns `RUN_COLUMNS`, in that order."""
        record = cls.__new__(cls)
        # Past the frozen fields' own setters, which take most of the time of a report over thousands of runs.
        record.__dict__.update(zip(_NAMES, values, strict=True))
        return record

    @cached_property
    def request(self) -> RunSpec:
        """The spec that was asked for, checked.

        Raises:
            RequestError: if this version does not know all of it, as of a run that a later one added.
        """
        return RunSpec.from_json(self.spec)

    @property
    def asked(self) -> dict[str, Any]:
        """The fields of the spec by name, to be shown: as they are stored, whatever this version knows of them."""
        return {**_DEFAULTS, **json.loads(self.spec)}

    @property
    def chosen(self) -> dict[str, Any]:
        """Those of `asked` that are not at their defaults."""
        return {name: value for name, value in self.asked.items() if value != _DEFAULTS.get(name)}

    @cached_property
    def unknown(self) -> str:
        """What this version does not know of what was asked for, in words; empty where it knows all of it."""
        try:
            _ = self.request
        except RequestError as error:
            return str(error)
        return ""

    @property
    def owner(self) -> Owner | None:
        """The process that answers for the run, once one has claimed it."""
        if self.host is None or self.boot_id is None or self.pid is None or self.pid_started is None:
            return None
        return Owner(self.host, self.boot_id, self.pid, self.pid_started)

    @property
    def refused(self) -> bool:
        """Whether it failed since it, or its source, cannot be done as it was asked for: no repeat would mend it."""
        return self.status == "failed" and REFUSED in (self.error or "")

    @property
    def stop_requested(self) -> bool:
        """Whether a user wants the run to stop, for good or for a while."""
        return bool(self.cancel_requested or self.pause_requested)

    @property
    def title(self) -> str:
        """The run by its id, method and seed, `#3 kaiming_nfm s1`, or as the source it trains: `#2 source digits`."""
        return f"#{self.id} {self.name}" if self.trains_source else f"#{self.id} {self.method} s{self.seed}"

    @property
    def trains_source(self) -> bool:
        """Whether the console added the run itself, to train a source for others."""
        return self.name.startswith(SOURCE_NAME)

    @property
    def flags(self) -> list[str]:
        """What a reader must know before believing the numbers: `diverged`, `at_chance`, `imported`."""
        return [name for name in ("diverged", "at_chance", "imported") if getattr(self, name)]

    @property
    def imported(self) -> bool:
        """Whether something else trained the run, and only its log was taken in."""
        return (self.data_origin or "").startswith(IMPORTED)

    def summary(self) -> dict[str, Any]:
        """The object that `runs list --format json` prints."""
        names = (
            "id name study status init method dataset model source seed epoch epochs attempts best_val_accuracy "
            "test_accuracy loss_gap flags error"
        )
        return {name: getattr(self, name) for name in names.split()}

    def provenance(self) -> dict[str, Any]:
        """What ran, and on what: versions, device, host, the origin of the data."""
        environment = json.loads(self.environment) if self.environment else {}
        code = json.loads(self.started_code) if self.started_code else {}
        return {
            **environment,
            "commit": code.get("commit"),
            "uncommitted_changes": code.get("changes"),
            "code_when_queued": self.queued_code if self.started_code not in (None, self.queued_code) else None,
            "host": self.host,
            "device": self.device,
            "data_origin": self.data_origin,
        }


@dataclass(frozen=True, slots=True)
class WorkerRecord:
    """One row of `workers`: a worker that has said that it is there, and not yet that it is gone.

    Attributes:
        owner: its process.
        devices: that it gives to runs.
        slots: runs that it trains at once on each of them.
    """

    id: int
    owner: Owner
    started_at: str
    heartbeat_at: str
    devices: tuple[str, ...]
    slots: int


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a run's log."""

    time: str
    level: str
    message: str


_NAMES = tuple(f.name for f in fields(RunRecord))
_columns = operator.itemgetter(*_NAMES)
RUN_COLUMNS = ", ".join(_NAMES)
"""What a read of runs selects: by name, an `sqlite3.Row` finds a column by looking through all of them."""


_DEFAULTS: dict[str, Any] = asdict(RunSpec())

COLUMNS = {
    kind: ", ".join(f.name for f in fields(kind)) for kind in (EpochMetrics, StepMetrics, LayerStart, LayerAnsatz)
}
"""What a read of metrics selects, in the order of their fields: to look each up by name costs more than the read."""


def metrics_from(kind: type[Metrics], values: Sequence[Any]) -> Metrics:
    """The metrics of the columns `COLUMNS[kind]`; NaN is stored as NULL and comes back as NaN."""
    return kind(*(math.nan if value is None else value for value in values) if None in values else values)
