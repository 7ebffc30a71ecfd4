"""From stored numbers to the lines of a chart: one a method with its deviation over seeds, or one a run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agopconsole.analysis.colours import method_colour, run_colour
from agopconsole.analysis.groups import Group, group_runs, telling, varied_fields
from agopconsole.analysis.places import Places
from agopconsole.analysis.plots import PLOTS, Line, Plot
from agopconsole.analysis.series import Series
from agopconsole.analysis.smoothing import smooth
from agopconsole.analysis.view import Window, XKind
from agopconsole.metrics import EpochAnsatz, EpochMetrics, StepMetrics
from agopconsole.store import RunRecord

Histories = Mapping[int, Sequence[EpochMetrics]]


@dataclass(frozen=True)
class Numbers:
    """The stored numbers of some runs by id: their epochs, and where a chart asks for them their steps and ansatz."""

    epochs: Histories
    steps: Mapping[int, Sequence[StepMetrics]] = field(default_factory=dict)
    ansatz: Mapping[int, Sequence[EpochAnsatz]] = field(default_factory=dict)

    def of(self, run: RunRecord, plot: Plot) -> Sequence[Any]:
        """What the plot shows of a run."""
        return self.for_plot(plot).get(run.id, ())

    def for_plot(self, plot: Plot) -> Mapping[int, Sequence[Any]]:
        """Those that the plot shows."""
        found: dict[str, Mapping[int, Sequence[Any]]] = {
            "epochs": self.epochs,
            "steps": self.steps,
            "ansatz": self.ansatz,
        }
        return found[plot.source]


class Choice:
    """The runs that are drawn.

    Args:
        repeats: those that make one line a method.
        single: those with a line each.
    """

    def __init__(self, repeats: Sequence[RunRecord], single: Sequence[RunRecord]) -> None:
        self.runs = {run.id: run for run in (*repeats, *single)}
        self.groups = group_runs(repeats)
        self.varied = varied_fields(self.groups)
        self.single = tuple(single)


def accuracy_series(runs: Sequence[RunRecord], histories: Histories, *, by_method: bool = True) -> list[Series]:
    """Validation accuracy over the epochs, in percent.

    Args:
        runs: what to draw.
        histories: the epochs of each of them by id; a run without any is left out.
        by_method: one line for the repeats of a run, its band the standard deviation over seeds; else one line a run.
    """
    return _of_runs(PLOTS["val_accuracy"], runs, histories, by_method)


def loss_gap_series(runs: Sequence[RunRecord], histories: Histories, *, by_method: bool = True) -> list[Series]:
    """Validation less training loss over the epochs, both in eval mode; the arguments are as above."""
    return _of_runs(PLOTS["loss_gap"], runs, histories, by_method)


def _of_runs(plot: Plot, runs: Sequence[RunRecord], histories: Histories, by_method: bool) -> list[Series]:
    runs = [run for run in runs if histories.get(run.id) or run.diverged]
    choice = Choice(runs, ()) if by_method else Choice((), runs)
    return plot_series(plot, choice, Numbers(histories))


def plot_series(
    plot: Plot, choice: Choice, numbers: Numbers, *, x: XKind = "epoch", smoothing: float = 0.0
) -> list[Series]:
    """The lines of a plot; of what has neither a number nor diverged there is none.

    Args:
        plot: what is shown.
        choice: of which runs.
        numbers: of all of them.
        x: what x counts; the time is a run's own, from its start.
        smoothing: the memory of the smoothing, as a share of the whole x axis.
    """
    series = [
        _of_group(plot, line, group, telling(group, choice.groups, choice.varied), numbers, x)
        for group in choice.groups
        if _has_line(plot, group.runs, numbers)
        for line in plot.lines
    ]
    series += [
        _of_run(plot, line, run, numbers, x)
        for run in choice.single
        if _has_line(plot, [run], numbers)
        for line in plot.lines
    ]
    return series if plot.over_layers else _smoothed(series, smoothing)


def names(plots: Sequence[Plot], choice: Choice, numbers: Numbers, *, x: XKind = "epoch") -> list[Series]:
    """A series without points for each method and run that one of the plots has a line of: its name, what it lost.

    Where the plots count other seeds, because fewer have such numbers, the name counts none.
    """
    found = []
    for group in choice.groups:
        shown = [plot for plot in plots if _has_line(plot, group.runs, numbers)]
        if shown:
            words = _name(group, telling(group, choice.groups, choice.varied))
            counts = {_counts(_counted(plot, group, numbers)) for plot in shown}
            lost = (place for plot in shown[:1] for run in group.runs for place in _lost(plot, run, numbers, x))
            label = " ".join([*words, *(counts if len(counts) == 1 else ())])
            found.append(Series(label, method_colour(group.method), [], [], lost=list(lost)))
    for run in choice.single:
        shown = [plot for plot in plots if _has_line(plot, [run], numbers)]
        if shown:
            colour = run_colour(run.method, run.seed)
            found.append(Series(_run_name(run), colour, [], [], lost=_lost(shown[0], run, numbers, x)))
    return found


def _has_line(plot: Plot, runs: Sequence[RunRecord], numbers: Numbers) -> bool:
    return any(numbers.of(run, plot) or (run.diverged and not plot.over_layers) for run in runs)


def extent(series: Sequence[Series]) -> Window | None:
    """The least and the greatest x of all points, or None without any."""
    ends = [x for one in series for x in (*one.x[:1], *one.x[-1:], *one.lost) if math.isfinite(x)]
    return (min(ends), max(ends)) if ends else None


def _smoothed(series: list[Series], share: float) -> list[Series]:
    whole = extent(series)
    if not share or whole is None:
        return series
    reach = share * (whole[1] - whole[0])
    return [
        replace(
            one,
            y=smooth(one.x, one.y, reach),
            band=None if one.band is None else smooth(one.x, one.band, reach),
        )
        for one in series
    ]


def _of_run(plot: Plot, line: Line, run: RunRecord, numbers: Numbers, x: XKind) -> Series:
    points = _points(plot, line, run, numbers, x)
    return Series(
        _label(_run_name(run), line),
        run_colour(run.method, run.seed),
        [place for place, _ in points.values()],
        [value for _, value in points.values()],
        lost=[] if line.dotted else _lost(plot, run, numbers, x),
        dotted=line.dotted,
    )


def _of_group(plot: Plot, line: Line, group: Group, varied: Sequence[str], numbers: Numbers, x: XKind) -> Series:
    """The mean over the seeds that trained to the end, or, before the first has, over those that are on their way.

    The seeds of a line are the same from its first point to its last, so that no step in it comes from a seed that
    joins or leaves. A diverged one has no part in it and is marked.
    """
    runs = _counted(plot, group, numbers)
    counted = [_points(plot, line, run, numbers, x) for run in runs]
    shared = [key for key in counted[0] if all(key in points for points in counted)] if counted else []
    values = [[points[key][1] for points in counted] for key in shared]
    return Series(
        _label(" ".join([*_name(group, varied), _counts(runs)]), line),
        method_colour(group.method),
        [_mean([points[key][0] for points in counted]) for key in shared],
        [_mean(seeds) for seeds in values],
        [_deviation(seeds) for seeds in values] if len(counted) > 1 and not line.dotted else None,
        lost=[] if line.dotted else [place for run in group.runs for place in _lost(plot, run, numbers, x)],
        dotted=line.dotted,
    )


def _counted(plot: Plot, group: Group, numbers: Numbers) -> list[RunRecord]:
    """The seeds that the line of a group is the mean of."""
    sound = [run for run in group.runs if not run.diverged and numbers.of(run, plot)]
    return [run for run in sound if run.status == "done"] or sound


def _name(group: Group, varied: Sequence[str]) -> list[str]:
    return [group.method, *(f"{name}={group.settings[name]}" for name in varied)]


def _counts(counted: Sequence[RunRecord]) -> str:
    at_chance = sum(bool(run.at_chance) for run in counted if run.status == "done")
    return ", ".join([f"n={len(counted)}", *[f"{at_chance} at chance"] * bool(at_chance)])


def _run_name(run: RunRecord) -> str:
    return " ".join([run.title, *["at chance"] * bool(run.at_chance)])


def _label(name: str, line: Line) -> str:
    return f"{name} {line.name}" if line.name else name


def _points(plot: Plot, line: Line, run: RunRecord, numbers: Numbers, x: XKind) -> dict[int, tuple[float, float]]:
    """Place and value by epoch, step or layer."""
    value, found = line.value, numbers.of(run, plot)
    if plot.over_layers:
        chosen = [epoch for epoch in found if epoch.epoch == 0] if line.at_start else found[-1:]
        layers = chosen[-1].layers if chosen else ()
        return {i: (float(i), value(layer)) for i, layer in enumerate(layers, start=1)}
    places = Places(numbers.epochs.get(run.id, ()), x)
    if plot.source == "steps":
        return {step.step: (places.of_step(step.step), value(step)) for step in found}
    return {epoch.epoch: (places.of_epoch(epoch.epoch), value(epoch)) for epoch in found}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _deviation(values: Sequence[float]) -> float:
    """The sample standard deviation; 0 where a value is not finite."""
    mean = _mean(values)
    if not math.isfinite(mean):
        return 0.0
    return math.sqrt(sum((value - mean) * (value - mean) for value in values) / (len(values) - 1))


def _lost(plot: Plot, run: RunRecord, numbers: Numbers, x: XKind) -> list[float]:
    """Where a diverged run met its first number that was not finite: after an epoch, or the last step there is."""
    if not run.diverged or plot.over_layers:
        return []
    history = numbers.epochs.get(run.id, ())
    places = Places(history, x)
    if plot.source == "steps" and (steps := numbers.of(run, plot)):
        place = places.of_step(steps[-1].step)
    else:
        bad = [e.epoch for e in history if not math.isfinite(e.val_loss) or not math.isfinite(e.train_loss)]
        place = places.of_epoch(bad[0] if bad else run.epoch + 1)
    return [place if math.isfinite(place) else 0.0]
