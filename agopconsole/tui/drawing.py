"""What the charts of a screen are drawn of: the chosen runs and their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from agopconsole.analysis.curves import Choice, Numbers, names, plot_series
from agopconsole.analysis.plots import Plot
from agopconsole.analysis.series import Series
from agopconsole.analysis.view import ChartView
from agopconsole.store import RunRecord


class Drawing:
    """The runs, and all that was read of them.

    Args:
        repeats: the runs that make one line a method.
        single: those with a line each.
        numbers: what was read of them.
    """

    def __init__(self, repeats: Sequence[RunRecord], single: Sequence[RunRecord], numbers: Numbers) -> None:
        self._repeats, self._single, self._numbers = repeats, single, numbers
        self._runs = {run.id: run for run in (*repeats, *single)}
        self._looks = [
            [(r.id, r.status, r.epoch, r.diverged, r.at_chance) for r in runs] for runs in (repeats, single)
        ]

    def looks_like(self, other: Drawing) -> bool:
        """Whether the charts of both are alike; numbers that were not read again are the same objects."""
        return self._looks == other._looks and all(
            mine.get(run) is theirs.get(run)
            for run in self._runs
            for mine, theirs in (
                (self._numbers.epochs, other._numbers.epochs),
                (self._numbers.steps, other._numbers.steps),
                (self._numbers.ansatz, other._numbers.ansatz),
            )
        )

    @property
    def count(self) -> int:
        """How many runs there are."""
        return len(self._runs)

    def has_numbers_for(self, plot: Plot) -> bool:
        """Whether what the plot shows has been read of all of them."""
        return self._runs.keys() <= self._numbers.for_plot(plot).keys()

    def was_measured(self, plot: Plot) -> bool:
        """Whether any of the runs has what the plot shows."""
        return any(self._numbers.for_plot(plot).get(run) for run in self._runs)

    def series(self, plot: Plot, view: ChartView) -> list[Series]:
        """The lines of a plot, as the user wants to see them; it takes long enough to be left to the painter."""
        return plot_series(plot, self._choice(view), self._numbers, x=view.x, smoothing=view.smoothing)

    def names(self, plots: Sequence[Plot], view: ChartView) -> list[Series]:
        """What the lines of these plots are called; for the painter, too."""
        return names(plots, self._choice(view), self._numbers, x=view.x)

    def _choice(self, view: ChartView) -> Choice:
        return self._run_by_run if view.by_run else self._by_method

    @cached_property
    def _by_method(self) -> Choice:
        return Choice(self._repeats, self._single)

    @cached_property
    def _run_by_run(self) -> Choice:
        return Choice((), list(self._runs.values()))
