"""The comparison of methods: stored runs in, rows with means, paired differences and what to beware of out.

A row is one method under one recipe on one data set. Runs that diverged have no number and are counted beside the
mean; runs that stayed at chance have a true accuracy, count in the mean, and are counted beside it as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agopconsole.analysis import poster
from agopconsole.analysis.groups import Group, counterpart, group_runs, index_groups, varied_fields
from agopconsole.analysis.statistics import Difference, Mean, compare, summarise
from agopconsole.errors import RequestError, unknown_choice
from agopconsole.store import RunRecord, Store

METRICS: dict[str, str] = {
    "best_val_accuracy": "best validation accuracy, %",
    "final_val_accuracy": "validation accuracy after the last epoch, %",
    "test_accuracy": "test accuracy of the epoch that validation chose, %",
    "loss_gap": "validation less training loss, both in eval mode, nats",
    "poster_loss_gap": "validation loss less running training loss with dropout, nats",
}
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
        delta: difference to the baseline under the same recipe; None for the baseline itself, or without one.
        twin_delta: difference to the isotropic twin; None for a method without one, or if it was not run.
        reference: the published number.
    """

    group: Group
    mean: Mean
    delta: Difference | None
    twin_delta: Difference | None
    reference: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """What `build_report` found.

    Attributes:
        metric: one of `METRICS`.
        study: its name; None for every run of the store.
        baseline: label of the method that the others are compared with; None in an empty store.
        varied: the fields that tell the rows apart beside data set and method.
        rows: by data set, then recipe, then method.
        caveat: how the recipes differ from those of the reference numbers; empty without such numbers.
    """

    metric: str
    study: str | None
    baseline: str | None
    varied: tuple[str, ...]
    rows: tuple[ReportRow, ...]
    caveat: str

    def as_dict(self) -> dict[str, Any]:
        """The object that `report --format json` prints."""
        return {
            "metric": self.metric,
            "study": self.study,
            "baseline": self.baseline,
            "caveat": self.caveat or None,
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
            **_difference_dict(row.delta, self.baseline),
            "twin": group.twin,
            **_difference_dict(row.twin_delta, group.twin, "twin_"),
            "reference": row.reference,
            **group.counts(self.metric),
        }


def _difference_dict(found: Difference | None, other: str | None, prefix: str = "") -> dict[str, Any]:
    return {
        f"{prefix}pairs": found.pairs if found else None,
        f"{prefix}delta": found.delta if found else None,
        f"{prefix}delta_ci95": found.ci95 if found else None,
        f"{prefix}p_value": found.p_value if found else None,
        f"{prefix}verdict": found.verdict(str(other)) if found else None,
    }


def build_report(
    store: Store,
    *,
    study: str | None = None,
    metric: str = "best_val_accuracy",
    baseline: str | None = None,
    against: str | None = None,
) -> Report:
    """Compares the methods of a study.

    Args:
        store: where the runs are.
        study: its name, or `ALL`; by default the study touched last, or every run if there is none.
        metric: one of `METRICS`.
        baseline: label of the method that the others are compared with; by default kaiming_uniform, or the first.
        against: one of `REFERENCES`, to put published numbers beside the means.

    Raises:
        RequestError: if one of these is unknown, or the reference has no numbers of that metric.
    """
    if metric not in METRICS:
        raise unknown_choice("metric", metric, METRICS)
    if against is not None and against not in REFERENCES:
        raise unknown_choice("reference", against, REFERENCES)
    if against and metric != poster.METRIC:
        raise RequestError(f"the poster has no {metric}; compare its numbers with {poster.METRIC}")
    study, runs = _runs_of(store, study)
    groups = group_runs(runs)
    methods = list(dict.fromkeys(group.method for group in groups))
    baseline = _chosen_baseline(baseline, methods)
    index = index_groups(groups)
    values = {id(group): group.values(metric) for group in groups}

    def difference(group: Group, method: str | None) -> Difference | None:
        other = counterpart(group, method, index)
        return None if other is None or other is group else compare(values[id(group)], values[id(other)])

    rows = tuple(
        ReportRow(
            group,
            summarise(list(values[id(group)].values())),
            difference(group, baseline),
            difference(group, group.twin),
            poster.published(group) if against else None,
        )
        for group in groups
    )
    caveat = poster.caveat(groups) if against else ""
    return Report(metric, study, baseline, tuple(varied_fields(groups)), rows, caveat)


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
