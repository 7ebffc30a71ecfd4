"""The comparison of methods: stored runs in, rows with means, paired differences and what to beware of out.

A row is one method under one recipe on one data set. Runs that diverged have no number and are counted beside the
mean; runs that stayed at chance have a true accuracy, count in the mean, and are counted beside it as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from agopconsole.analysis import poster
from agopconsole.analysis.groups import Group, counterpart, group_runs, index_groups, varied_fields
from agopconsole.analysis.measures import Measure, measured, parse_measure, usual_measure
from agopconsole.analysis.ranks import Ranks, rank_methods
from agopconsole.analysis.statistics import Difference, Mean, compare, holm, summarise
from agopconsole.errors import RequestError, unknown_choice
from agopconsole.store import RunRecord, Store

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
        delta: difference to the baseline under the same recipe; None for the baseline itself, or without one.
        p_holm: its p-value adjusted for all such differences of the report.
        twin_delta: difference to the isotropic twin; None for a method without one, or if it was not run.
        twin_p_holm: its p-value adjusted for all such differences of the report.
        reference: the published number.
    """

    group: Group
    mean: Mean
    counts: dict[str, int]
    delta: Difference | None
    p_holm: float | None
    twin_delta: Difference | None
    twin_p_holm: float | None
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
        caveat: how the recipes differ from those of the reference numbers; empty without such numbers.
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
            **_difference_dict(row.delta, row.p_holm, self.baseline),
            "twin": group.twin,
            **_difference_dict(row.twin_delta, row.twin_p_holm, group.twin, "twin_"),
            "reference": row.reference,
            **row.counts,
        }


def _difference_dict(
    found: Difference | None, p_holm: float | None, other: str | None, prefix: str = ""
) -> dict[str, Any]:
    return {
        f"{prefix}pairs": found.pairs if found else None,
        f"{prefix}delta": found.delta if found else None,
        f"{prefix}delta_ci95": found.ci95 if found else None,
        f"{prefix}p_value": found.p_value if found else None,
        f"{prefix}p_holm": p_holm,
        f"{prefix}effect_size": found.effect_size if found else None,
        f"{prefix}verdict": found.verdict(str(other)) if found else None,
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
        baseline: label of the method that the others are compared with; by default kaiming_uniform, or the first.
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
    baseline = _chosen_baseline(baseline, list(dict.fromkeys(group.method for group in groups)))
    rows = _rows(groups, measured(store, runs, measure), baseline, with_reference=against is not None)
    ranks = rank_methods(_blocks(rows), measure.better)
    caveat = poster.caveat(groups) if against else ""
    return Report(measure, study, baseline, tuple(varied_fields(groups)), rows, ranks, caveat)


def _rows(
    groups: Sequence[Group], values: Mapping[int, float], baseline: str | None, *, with_reference: bool
) -> tuple[ReportRow, ...]:
    index = index_groups(groups)

    def difference(group: Group, method: str | None) -> Difference | None:
        other = counterpart(group, method, index)
        return None if other is None or other is group else compare(group.values(values), other.values(values))

    deltas = [difference(group, baseline) for group in groups]
    twin_deltas = [difference(group, group.twin) for group in groups]
    compared = zip(deltas, _adjusted(deltas), twin_deltas, _adjusted(twin_deltas), strict=True)
    return tuple(
        ReportRow(
            group,
            summarise(list(group.values(values).values())),
            group.counts(values),
            *differences,
            poster.published(group) if with_reference else None,
        )
        for group, differences in zip(groups, compared, strict=True)
    )


def _adjusted(differences: Sequence[Difference | None]) -> list[float | None]:
    return holm([found.p_value if found else None for found in differences])


def _blocks(rows: Sequence[ReportRow]) -> list[dict[str, float | None]]:
    """The means by method of each data set under one recipe; of several sources of a method the first ranks."""
    blocks: dict[tuple[Any, ...], dict[str, float | None]] = {}
    for row in rows:
        blocks.setdefault(row.group.recipe, {}).setdefault(row.group.method, row.mean.mean)
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


def _chosen_baseline(baseline: str | None, methods: list[str]) -> str | None:
    if baseline is not None:
        if baseline not in methods:
            raise unknown_choice("baseline", baseline, methods)
        return baseline
    return _BASELINE if _BASELINE in methods else next(iter(methods), None)
