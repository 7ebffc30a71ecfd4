"""From stored histories to the lines of a chart: one a method with its deviation over seeds, or one a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, stdev

from agopconsole.analysis.colours import method_colour, run_colour
from agopconsole.analysis.groups import Group, group_runs, varied_fields
from agopconsole.analysis.series import Series
from agopconsole.metrics import EpochMetrics
from agopconsole.store import RunRecord

Histories = Mapping[int, Sequence[EpochMetrics]]
Value = Callable[[EpochMetrics], float]


def accuracy_series(runs: Sequence[RunRecord], histories: Histories, *, by_method: bool = True) -> list[Series]:
    """Validation accuracy over the epochs, in percent.

    Args:
        runs: what to draw.
        histories: the epochs of each of them by id; a run without any is left out.
        by_method: one line for the repeats of a run, its band the standard deviation over seeds; else one line a run.
    """
    return _series(runs, histories, by_method, lambda epoch: epoch.val_accuracy)


def loss_gap_series(runs: Sequence[RunRecord], histories: Histories, *, by_method: bool = True) -> list[Series]:
    """Validation less training loss over the epochs, both in eval mode; the arguments are as above."""
    return _series(runs, histories, by_method, lambda epoch: epoch.loss_gap)


def _series(runs: Sequence[RunRecord], histories: Histories, by_method: bool, value: Value) -> list[Series]:
    runs = [run for run in runs if histories.get(run.id) or run.diverged]
    if not by_method:
        return [_of_run(run, histories.get(run.id, ()), value) for run in runs]
    groups = group_runs(runs)
    varied = varied_fields(groups)
    return [_of_group(group, varied, histories, value) for group in groups]


def _of_run(run: RunRecord, history: Sequence[EpochMetrics], value: Value) -> Series:
    label = run.title + (" at chance" if run.at_chance else "")
    return Series(
        label,
        run_colour(run.method, run.seed),
        [epoch.epoch for epoch in history],
        [value(epoch) for epoch in history],
        lost=_lost(run, history),
    )


def _of_group(group: Group, varied: Sequence[str], histories: Histories, value: Value) -> Series:
    """The mean over the seeds that trained to the end, or, before the first has, over those that are on their way.

    The seeds of a line are the same from its first epoch to its last, so that no step in it comes from a seed that
    joins or leaves. A diverged one has no part in it and is marked.
    """
    sound = [run for run in group.runs if not run.diverged and histories.get(run.id)]
    done = [run for run in sound if run.status == "done"]
    counted = [histories[run.id] for run in done or sound]
    epochs = range(min((len(history) for history in counted), default=0))
    values = [[value(history[i]) for history in counted] for i in epochs]
    diverged = [run for run in group.runs if run.diverged]
    at_chance = sum(bool(run.at_chance) for run in done)
    settings = [f"{name}={group.settings[name]}" for name in varied]
    parts = [f"n={len(counted)}"] + [f"{at_chance} at chance"] * bool(at_chance)
    return Series(
        " ".join([group.method, *settings, ", ".join(parts)]),
        method_colour(group.method),
        [counted[0][i].epoch for i in epochs],
        [fmean(at_epoch) for at_epoch in values],
        [stdev(at_epoch) if _has_spread(at_epoch) else 0.0 for at_epoch in values] if len(counted) > 1 else None,
        lost=[x for run in diverged for x in _lost(run, histories.get(run.id, ()))],
    )


def _has_spread(values: Sequence[float]) -> bool:
    return all(map(math.isfinite, values))


def _lost(run: RunRecord, history: Sequence[EpochMetrics]) -> list[float]:
    """The epoch at which a diverged run met its first number that was not finite."""
    if not run.diverged:
        return []
    bad = [
        epoch.epoch for epoch in history if not math.isfinite(epoch.val_loss) or not math.isfinite(epoch.train_loss)
    ]
    return [bad[0] if bad else run.epoch + 1]
