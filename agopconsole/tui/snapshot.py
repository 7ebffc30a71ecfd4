"""One reading of the store, whole and immutable: all that the widgets show comes from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from agopconsole.analysis.curves import Numbers
from agopconsole.analysis.groups import Group
from agopconsole.metrics import EpochAnsatz, EpochMetrics, LayerStart, StepMetrics
from agopconsole.store import LogLine, RunRecord, WorkerRecord
from agopconsole.tui.queue_state import Queue
from agopconsole.tui.run_files import RunFile


@dataclass(frozen=True)
class Wanted:
    """What a snapshot must hold beside the runs.

    Attributes:
        histories: ids of the runs whose epochs are drawn.
        start: id of the run whose start is shown, or None.
        log: id of the run whose ansatz, log and files are shown, or None.
        steps: ids of the runs whose steps are drawn.
        correlations: ids of the runs whose ansatz is drawn.
    """

    histories: frozenset[int] = frozenset()
    start: int | None = None
    log: int | None = None
    steps: frozenset[int] = frozenset()
    correlations: frozenset[int] = frozenset()

    def and_also(self, other: Wanted) -> Wanted:
        """Both; where there can be only one of a thing, that of the other."""
        return Wanted(
            self.histories | other.histories,
            other.start or self.start,
            other.log or self.log,
            self.steps | other.steps,
            self.correlations | other.correlations,
        )


@dataclass(frozen=True)
class StudyRuns:
    """The runs of one study.

    Attributes:
        name: the study; empty for runs of none.
        groups: its methods, each with one run a seed.
        others: runs in no group: cancelled, repeated, or there to train a source.
    """

    name: str
    groups: tuple[Group, ...]
    others: tuple[RunRecord, ...]


@dataclass(frozen=True)
class Snapshot:
    """The store as it was at one moment.

    Attributes:
        runs: every run by id.
        studies: the same by study, the one with the newest run first.
        paces: seconds an epoch by id, of the runs that run and have one behind them.
        seconds_ahead: until all runs that are open have been trained, one after another; None if that is not known.
        workers: those on the store's list, and whether each is alive.
        queue_paused: whether no worker is to start another run.
        wanted: what else was asked for; what follows holds it.
        histories: the epochs by run.
        start: the start of the run asked for, from the first layer to the last.
        ansatz: how NFM and AGOP agreed in its layers, epoch by epoch.
        log: the log of the run asked for.
        files: what lies in its folder.
        steps: the recorded steps by run.
        correlations: the ansatz by run, as far as any was measured.
    """

    runs: dict[int, RunRecord] = field(default_factory=dict)
    studies: tuple[StudyRuns, ...] = ()
    paces: Mapping[int, float] = field(default_factory=dict)
    seconds_ahead: float | None = None
    workers: tuple[tuple[WorkerRecord, bool], ...] = ()
    queue_paused: bool = False
    wanted: Wanted = field(default_factory=Wanted)
    histories: Mapping[int, tuple[EpochMetrics, ...]] = field(default_factory=dict)
    start: tuple[LayerStart, ...] = ()
    ansatz: tuple[EpochAnsatz, ...] = ()
    log: tuple[LogLine, ...] = ()
    files: tuple[RunFile, ...] = ()
    steps: Mapping[int, tuple[StepMetrics, ...]] = field(default_factory=dict)
    correlations: Mapping[int, tuple[EpochAnsatz, ...]] = field(default_factory=dict)

    @cached_property
    def queue(self) -> Queue:
        """How the queue stands."""
        return Queue.of(self.runs.values(), self.seconds_ahead)

    @property
    def numbers(self) -> Numbers:
        """What charts are drawn of."""
        return Numbers(self.histories, self.steps, self.correlations)
