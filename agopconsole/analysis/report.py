"""The comparison of methods: stored runs in, rows with means, paired differences and what to beware of out.

A row is one method under one recipe on one data set. Runs that diverged have no number and are counted beside the
mean; runs that stayed at chance have a true accuracy, count in the mean, and are counted beside it as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from agopconsole.analysis import poster
from agopconsole.analysis.contrasts import Contrast, contrasts, rotated_label
from agopconsole.analysis.groups import Group, group_runs, varied_fields
from agopconsole.analysis.measures import Measure, measured, parse_measure, usual_measure
from agopconsole.analysis.ranks import Ranks, rank_methods
from agopconsole.analysis.starts import Start, find_starts
from agopconsole.analysis.statistics import Mean, summarise
from agopconsole.errors import RequestError, unknown_choice
from agopconsole.store import RunRecord, Store
from agopconsole.study import baseline_at_hand

REFERENCES = ("poster",)
ALL = "all"
"""In place of a study's name: every run of the store."""

_BASELINE = "kaiming_uniform"


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One method under one recipe on one data set.

    Attributes:
        group: its runs.
        mean: over its seeds.
        counts: how many of them a reader must know of beside the mean (`Group.counts`).
        baseline: the method beside the one that all are compared with.
        twin: beside its isotropic twin: what the features are worth.
        rotated: beside its own spectrum in random directions: what the directions are worth.
        start: how its runs were before they trained.
        reference: the published number.
    """

    group: Group
    mean: Mean
    counts: dict[str, int]
    baseline: Contrast
    twin: Contrast
    rotated: Contrast
    start: Start
    reference: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """What `build_report` found.

    Attributes:
        measure: the metric.
        study: its name; None for every run of the store.
        baseline: label of the method that the others are compared with; None in an empty store.
        varied: the fields that tell the rows apart beside data set and method.
        rows: by data set, then recipe, then method.
        ranks: of the methods over the data sets; None on one.
        caveat: how the recipes differ between the methods or from those of the reference numbers; empty if neither.
    """

    measure: Measure
    study: str | None
    baseline: str | None
    varied: tuple[str, ...]
    rows: tuple[ReportRow, ...]
    ranks: Ranks | None
    caveat: str

    def as_dict(self) -> dict[str, Any]:
        """The object that `report --format json` prints."""
        return {
            "metric": self.measure.name,
            "study": self.study,
            "baseline": self.baseline,
            "caveat": self.caveat or None,
            "ranks": asdict(self.ranks) if self.ranks else None,
            "rows": self.row_dicts(),
        }

    def row_dicts(self) -> list[dict[str, Any]]:
        """The rows as flat objects; intervals are half-widths, and the fields that vary have keys of their own."""
        return [self._row_dict(row) for row in self.rows]

    def _row_dict(self, row: ReportRow) -> dict[str, Any]:
        group = row.group
        return {
            "dataset": group.settings["dataset"],
            "model": group.settings["model"],
            "init": group.method,
            "source": group.runs[0].source,
            **{name: group.settings[name] for name in self.varied if name not in ("model", "source")},
            "n": row.mean.n,
            "mean": row.mean.mean,
            "std": row.mean.std,
            "ci95": row.mean.ci95,
            **row.baseline.as_dict(),
            "twin": row.twin.other,
            **row.twin.as_dict("twin_"),
            "rotated": row.rotated.other,
            **row.rotated.as_dict("rotated_"),
            **row.start.as_dict(),
            "reference": row.reference,
            **row.counts,
        }


def build_report(
    store: Store,
    *,
    study: str | None = None,
    metric: str | None = None,
    baseline: str | None = None,
    against: str | None = None,
) -> Report:
    """Compares the methods of a study.

    Args:
        store: where the runs are.
        study: its name, or `ALL`; by default the study touched last, or every run if there is none.
        metric: as `measures.parse_measure` takes it; by default the test accuracy where every run has one, else the
            best validation accuracy, which is also what the published numbers are.
        baseline: label of the method that the others are compared with; by default the one that the study named
            when its runs were asked for, or its file, where one lies at hand, else kaiming_uniform, or the first.
        against: one of `REFERENCES`, to put published numbers beside the means.

    Raises:
        RequestError: if one of these is unknown, or the reference has no numbers of that metric.
    """
    if against is not None and against not in REFERENCES:
        raise unknown_choice("reference", against, REFERENCES)
    measure = parse_measure(metric or poster.METRIC) if metric or against else None
    if against and measure and measure.name != poster.METRIC:
        raise RequestError(f"the poster has no {measure.name}; compare its numbers with {poster.METRIC}")
    study, runs = _runs_of(store, study)
    measure = measure or usual_measure(runs)
    groups = group_runs(runs)
    baseline = _chosen_baseline(store, baseline, study, list(dict.fromkeys(group.method for group in groups)))
    values = measured(store, runs, measure)
    compared = zip(
        groups,
        contrasts(groups, values, lambda _: baseline),
        contrasts(groups, values, lambda group: group.twin),
        contrasts(groups, values, rotated_label),
        find_starts(store, groups),
        strict=True,
    )
    rows = tuple(
        ReportRow(
            group,
            summarise(list(group.values(values).values())),
            group.counts(values),
            to_baseline,
            to_twin,
            to_rotated,
            start,
            poster.published(group) if against else None,
        )
        for group, to_baseline, to_twin, to_rotated, start in compared
    )
    ranks = rank_methods(_blocks(rows), measure.better)
    caveat = "; ".join(filter(None, [_own_settings(groups), poster.caveat(groups) if against else ""]))
    return Report(measure, study, baseline, tuple(varied_fields(groups)), rows, ranks, caveat)


def _own_settings(groups: Sequence[Group]) -> str:
    """What a reader must know of methods that were not trained alike."""
    own = groups[0].own if groups else ()
    return f"each method is compared at a value of its own of {', '.join(own).replace('_', ' ')}" if own else ""


def _blocks(rows: Sequence[ReportRow]) -> list[dict[str, float | None]]:
    """The means by method of each data set under one recipe; of several sources of a method the first ranks.

    A method that is still to be trained there has no place yet; one that diverged throughout has the last.
    """
    blocks: dict[tuple[Any, ...], dict[str, float | None]] = {}
    for row in rows:
        block = blocks.setdefault(row.group.recipe, {})
        if row.mean.n or not row.counts["unfinished"]:
            block.setdefault(row.group.method, row.mean.mean)
    return list(blocks.values())


def _runs_of(store: Store, study: str | None) -> tuple[str | None, list[RunRecord]]:
    studies = store.studies()
    if study is None and studies:
        study = studies[-1]
    elif study == ALL:
        study = None
    elif study is not None and study not in studies:
        raise unknown_choice("study", study, [*studies, ALL])
    return study, store.runs(study=study)


def _chosen_baseline(store: Store, baseline: str | None, study: str | None, methods: list[str]) -> str | None:
    if baseline is not None:
        if baseline not in methods:
            raise unknown_choice("baseline", baseline, methods)
        return baseline
    recorded = store.study_record(study) if study else None
    asked = recorded.baseline if recorded else baseline_at_hand(study) if study else None
    return next((label for label in (asked, _BASELINE, *methods) if label in methods), None)
