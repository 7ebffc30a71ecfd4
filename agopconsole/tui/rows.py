"""The rows of the table of runs: studies, in them methods, in them runs; or all runs in one flat list."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from agopconsole.analysis.groups import Group, varied_fields
from agopconsole.analysis.statistics import Mean, summarise
from agopconsole.store import RunRecord
from agopconsole.tui.snapshot import Snapshot, StudyRuns

Key = tuple[Hashable, ...]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row.

    Attributes:
        key: what stays the same from one snapshot to the next.
        parents: keys of the rows that it stands beneath.
        runs: every run that it speaks for.
        is_open: whether the rows beneath it are shown; None if there are none.
    """

    key: Key
    parents: tuple[Key, ...]
    runs: tuple[RunRecord, ...]
    is_open: bool | None = None


@dataclass(frozen=True, kw_only=True)
class HeadingRow(Row):
    """A study under one recipe; `title` is its name, `recipe` what its runs have in common."""

    title: str
    recipe: str


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True, kw_only=True)
class RunRow(Row):
    """One run; `shows_method` where no row above it names the method."""

    shows_method: bool

    @property
    def run(self) -> RunRecord:
        """The run itself."""
        return self.runs[0]


def build_rows(snapshot: Snapshot, *, grouped: bool, opened: Mapping[Key, bool]) -> list[Row]:
    """All rows in order, those beneath a closed row as well.

    Args:
        snapshot: the store.
        grouped: by study and by everything but the seed, or flat, the newest run first.
        opened: the rows that the user has opened (True) or closed (False); the others decide for themselves: what
            holds a running run is open.
    """
    if not grouped:
        return [_run_row(run, (), shows_method=True) for run in sorted(snapshot.runs.values(), key=lambda r: -r.id)]
    return [row for study in snapshot.studies for row in _study_rows(study, opened)]


def visible(rows: Sequence[Row]) -> list[Row]:
    """The rows that no closed row hides."""
    closed = {row.key for row in rows if row.is_open is False}
    return [row for row in rows if not closed.intersection(row.parents)]


def _study_rows(study: StudyRuns, opened: Mapping[Key, bool]) -> Iterator[Row]:
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
        yield from _method_rows(groups, own, heading, opened)
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
        yield from (_run_row(run, (key,), shows_method=True) for run in study.others)


def _method_rows(
    groups: Sequence[Group], varied: Sequence[str], heading: Row, opened: Mapping[Key, bool]
) -> Iterator[Row]:
    means = [summarise(list(group.values("best_val_accuracy").values())) for group in groups]
    highest = max((mean.mean for mean in means if mean.mean is not None), default=None)
    for group, best in zip(groups, means, strict=True):
        key = (*heading.key, "method", group.method, *(group.settings[name] for name in varied))
        gaps = group.values("loss_gap")
        yield MethodRow(
            key=key,
            parents=(heading.key,),
            runs=group.runs,
            is_open=opened.get(key, any(run.status == "running" for run in group.runs)),
            label=_words([group.method], group.settings, varied, separator=" "),
            method=group.method,
            best=best,
            gap=fmean(gaps.values()) if gaps else None,
            counts=tuple((kind, count) for kind, count in group.counts("best_val_accuracy").items() if count),
            leads=best.mean is not None and best.mean == highest and len(groups) > 1,
        )
        yield from (_run_row(run, (heading.key, key)) for run in group.runs)


def _run_row(run: RunRecord, parents: tuple[Key, ...], *, shows_method: bool = False) -> RunRow:
    return RunRow(key=("run", run.id), parents=parents, runs=(run,), shows_method=shows_method)


def _words(words: Sequence[str], settings: Mapping[str, Any], names: Sequence[str], *, separator: str = " · ") -> str:
    return separator.join(
        [*words, *(f"{name}={settings[name]}" for name in names if name not in ("dataset", "model"))]
    )
