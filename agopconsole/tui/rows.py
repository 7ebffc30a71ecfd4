"""The rows of the table of runs: studies, in them methods, in them runs; or all runs in one flat list."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from statistics import fmean
from typing import Any

from agopconsole.analysis.groups import Group, telling, varied_fields
from agopconsole.analysis.measures import BEST_VAL_ACCURACY, column
from agopconsole.analysis.statistics import Mean, summarise
from agopconsole.store import RunRecord
from agopconsole.tui.snapshot import Snapshot, StudyRuns

Key = tuple[Hashable, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One row.

    Attributes:
        key: what stays the same from one snapshot to the next.
        parents: keys of the rows that it stands beneath.
        runs: every run that it speaks for.
        is_open: whether the rows beneath it are shown; None if there are none.
        eta: seconds until those of its runs that are running are done, at their pace so far; None if none is known.
    """

    key: Key
    parents: tuple[Key, ...]
    runs: tuple[RunRecord, ...]
    is_open: bool | None = None
    eta: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadingRow(Row):
    """A study under one recipe; `title` is its name, `recipe` what its runs have in common."""

    title: str
    recipe: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MethodRow(Row):
    """The repeats of one run.

    Attributes:
        label: the method, and the fields that tell it from others of its name.
        method: the method's label alone, which its colour goes by.
        best: best validation accuracy over the seeds.
        gap: mean loss gap over the seeds, or None.
        counts: the runs that have no part in the mean, or are at chance, by kind.
        leads: whether no other method under the heading has a higher mean.
    """

    label: str
    method: str
    best: Mean
    gap: float | None
    counts: tuple[tuple[str, int], ...]
    leads: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRow(Row):
    """One run; `shows_method` where no row above it names the method."""

    shows_method: bool

    @property
    def run(self) -> RunRecord:
        """The run itself."""
        return self.runs[0]


Keep = Callable[[RunRecord], bool]
Arrange = Callable[[list[Any]], list[Any]]
"""Puts rows that stand side by side into the order that the user wants."""


@dataclass(frozen=True, slots=True)
class _StudyRows:
    """The rows of one study, as they are before the user puts them into an order.

    Attributes:
        study, basis: what they were made of.
        headings: the outermost rows.
        beneath: the rows beneath each row that can be opened, by its key.
    """

    study: StudyRuns
    basis: object
    headings: list[Row]
    beneath: dict[Key, list[Row]]


class RowBuilder:
    """Builds rows from snapshots; the rows of what nothing has changed are those of the last time."""

    def __init__(self) -> None:
        self._studies: dict[str, _StudyRows] = {}
        self._flat: dict[int, RunRow] = {}

    def build(
        self, snapshot: Snapshot, *, grouped: bool, opened: Mapping[Key, bool], keep: Keep, arrange: Arrange
    ) -> list[Row]:
        """All rows in order, those beneath a closed row as well.

        Args:
            snapshot: the store.
            grouped: by study and by everything but the seed, or flat, the newest run first.
            opened: the rows that the user has opened (True) or closed (False); the others decide for themselves:
                what holds a running run is open.
            keep: which runs are seen; the means are over them alone.
            arrange: the order of rows side by side that are in sight.
        """
        if not grouped:
            self._flat = {
                run.id: self._flat_row(run, snapshot.paces) for run in reversed(snapshot.runs.values()) if keep(run)
            }
            return arrange(list(self._flat.values()))
        self._studies = {study.name: self._study(study, snapshot.paces, opened, keep) for study in snapshot.studies}
        return [row for rows in self._studies.values() for row in _in_order(rows.headings, rows.beneath, arrange)]

    def _flat_row(self, run: RunRecord, paces: Mapping[int, float]) -> RunRow:
        before = self._flat.get(run.id)
        if before is not None and before.run is run and before.eta is None and run.id not in paces:
            return before
        return _run_row(run, (), paces, shows_method=True)

    def _study(
        self, study: StudyRuns, paces: Mapping[int, float], opened: Mapping[Key, bool], keep: Keep
    ) -> _StudyRows:
        own_paces = (
            tuple(paces[run.id] for group in study.groups for run in group.runs if run.id in paces) if paces else ()
        )
        own_opened = tuple(item for item in opened.items() if item[0][1] == study.name)
        basis = (own_paces, own_opened, keep)
        before = self._studies.get(study.name)
        if before is not None and before.study is study and before.basis == basis:
            return before
        beneath: dict[Key, list[Row]] = {}
        return _StudyRows(study, basis, list(_headings(_kept(study, keep), paces, opened, beneath)), beneath)


def _in_order(rows: Sequence[Row], beneath: Mapping[Key, list[Row]], arrange: Arrange) -> Iterator[Row]:
    """The rows, each with those beneath it; those of a closed row, which nobody sees, need no order."""
    for row in rows:
        yield row
        if row.is_open is not None:
            below = beneath[row.key]
            yield from _in_order(arrange(below) if row.is_open else below, beneath, arrange)


def _kept(study: StudyRuns, keep: Keep) -> StudyRuns:
    """The runs of a study that are to be seen."""
    groups = tuple(
        replace(group, runs=runs) for group in study.groups if (runs := tuple(run for run in group.runs if keep(run)))
    )
    return StudyRuns(study.name, groups, tuple(run for run in study.others if keep(run)))


def visible(rows: Iterable[Row]) -> list[Row]:
    """The rows that no closed row hides."""
    shown = []
    deepest = math.inf
    for row in rows:
        depth = len(row.parents)
        if depth <= deepest:
            shown.append(row)
            deepest = depth if row.is_open is False else math.inf
    return shown


def first_of_interest(rows: Sequence[Row]) -> int:
    """The place of the row to look at first: the outermost one where a run is running, else one with numbers."""
    outermost = [(place, row) for place, row in enumerate(rows) if not row.parents]
    running = (place for place, row in outermost if any(run.status == "running" for run in row.runs))
    measured = (place for place, row in outermost if any(run.epoch for run in row.runs))
    return next(chain(running, measured), 0)


def _headings(
    study: StudyRuns, paces: Mapping[int, float], opened: Mapping[Key, bool], beneath: dict[Key, list[Row]]
) -> Iterator[Row]:
    """The outermost rows of a study; what stands beneath them and beneath that goes into `beneath`."""
    by_recipe: dict[tuple[Any, ...], list[Group]] = {}
    for group in study.groups:
        by_recipe.setdefault(group.recipe, []).append(group)
    varied = varied_fields(study.groups)
    for recipe, groups in by_recipe.items():
        shared = [name for name in varied if len({group.settings[name] for group in groups}) == 1]
        settings = groups[0].settings
        heading = HeadingRow(
            key=("study", study.name, recipe),
            parents=(),
            runs=tuple(run for group in groups for run in group.runs),
            is_open=opened.get(("study", study.name, recipe), True),
            title=study.name or "runs of no study",
            recipe=_words([settings["dataset"], settings["model"]], settings, shared),
        )
        yield heading
        own = [name for name in varied if name not in shared]
        methods = _method_rows(groups, own, heading, paces, opened)
        beneath[heading.key] = list(methods)
        for row in methods:
            beneath[row.key] = [_run_row(run, (heading.key, row.key), paces) for run in row.runs]
    if study.others:
        key: Key = ("others", study.name)
        title = f"{study.name}: others" if study.name else "others"
        yield HeadingRow(
            key=key,
            parents=(),
            runs=study.others,
            is_open=opened.get(key, False),
            title=title,
            recipe="cancelled, repeated, or for a source",
        )
        beneath[key] = [_run_row(run, (key,), paces, shows_method=True) for run in study.others]


def _method_rows(
    groups: Sequence[Group],
    varied: Sequence[str],
    heading: Row,
    paces: Mapping[int, float],
    opened: Mapping[Key, bool],
) -> list[MethodRow]:
    accuracies = [column(group.runs, BEST_VAL_ACCURACY) for group in groups]
    means = [summarise(list(values.values())) for values in accuracies]
    highest = max((mean.mean for mean in means if mean.mean is not None), default=None)
    methods = []
    for group, values, best in zip(groups, accuracies, means, strict=True):
        key = (*heading.key, "method", group.method, *(group.settings[name] for name in varied))
        gaps = column(group.runs, "loss_gap")
        methods.append(
            MethodRow(
                key=key,
                parents=(heading.key,),
                runs=group.runs,
                is_open=opened.get(key, any(run.status == "running" for run in group.runs)),
                eta=_eta(group.runs, paces),
                label=_words([group.method], group.settings, telling(group, groups, varied), separator=" "),
                method=group.method,
                best=best,
                gap=fmean(gaps.values()) if gaps else None,
                counts=tuple((kind, count) for kind, count in group.counts(values).items() if count),
                leads=best.mean is not None and best.mean == highest and len(groups) > 1,
            )
        )
    return methods


def _run_row(
    run: RunRecord, parents: tuple[Key, ...], paces: Mapping[int, float], *, shows_method: bool = False
) -> RunRow:
    eta = _eta((run,), paces) if run.id in paces else None
    return RunRow(key=("run", run.id), parents=parents, runs=(run,), eta=eta, shows_method=shows_method)


def _eta(runs: Sequence[RunRecord], paces: Mapping[int, float]) -> float | None:
    return max(((run.epochs - run.epoch) * paces[run.id] for run in runs if run.id in paces), default=None)


def _words(words: Sequence[str], settings: Mapping[str, Any], names: Sequence[str], *, separator: str = " · ") -> str:
    return separator.join(
        [*words, *(f"{name}={settings[name]}" for name in names if name not in ("dataset", "model"))]
    )
