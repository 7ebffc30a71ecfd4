"""How the user looks at charts: what x counts, which stretch of it, how smooth, on which scale, and the cursor.

A value that never changes: every key and every turn of the wheel makes a new one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from agopconsole.analysis.smoothing import LEVELS

XKind = Literal["epoch", "step", "time"]
Window = tuple[float, float]

X_KINDS: tuple[XKind, ...] = ("epoch", "step", "time")

_CLOSEST = 1e-4
"""The shortest stretch that can be looked at, as a share of the whole."""


@dataclass(frozen=True, slots=True)
class ChartView:
    """One way to look at charts; those of a grid share it.

    Attributes:
        x: what x counts.
        level: of smoothing, an index of `LEVELS`.
        log: names of the plots with a logarithmic y axis.
        window: the stretch of x that is shown; None for all of it.
        cursor: the x that is read off; None without a cursor.
        by_run: a line a run, instead of one a method with its band over seeds.
    """

    x: XKind = "epoch"
    level: int = 0
    log: frozenset[str] = frozenset()
    window: Window | None = None
    cursor: float | None = None
    by_run: bool = False

    @property
    def smoothing(self) -> float:
        """The memory of the smoothing, as a share of the whole x axis."""
        return LEVELS[self.level]

    def next_x(self) -> ChartView:
        """The next thing for x to count; stretch and cursor mean nothing on it."""
        kind = X_KINDS[(X_KINDS.index(self.x) + 1) % len(X_KINDS)]
        return replace(self, x=kind, window=None, cursor=None)

    def next_level(self) -> ChartView:
        """Smoother, and after the smoothest not at all."""
        return replace(self, level=(self.level + 1) % len(LEVELS))

    def with_log(self, plot: str) -> ChartView:
        """The other scale for that plot."""
        return replace(self, log=self.log ^ {plot})

    def other_lines(self) -> ChartView:
        """A line a run, or a band a method again."""
        return replace(self, by_run=not self.by_run)

    def whole(self) -> ChartView:
        """All of x, and no cursor."""
        return replace(self, window=None, cursor=None)

    def zoomed(self, factor: float, extent: Window, at: float | None = None) -> ChartView:
        """A stretch `factor` as long; `at` (the cursor, or else the middle) stays where it is on the screen.

        Args:
            factor: below 1 to come closer.
            extent: all of x.
            at: the point to zoom at.
        """
        low, high = self.window or extent
        if at is None:
            at = self.cursor if self.cursor is not None and low <= self.cursor <= high else (low + high) / 2
        length = max((high - low) * factor, (extent[1] - extent[0]) * _CLOSEST)
        share = (at - low) / (high - low) if high > low else 0.5
        return self._looking_at(at - share * length, length, extent)

    def panned(self, share: float, extent: Window) -> ChartView:
        """The stretch moved by `share` of its length, as far as there is anything to see."""
        low, high = self.window or extent
        return self._looking_at(low + share * (high - low), high - low, extent)

    def _looking_at(self, low: float, length: float, extent: Window) -> ChartView:
        if length >= extent[1] - extent[0]:
            return replace(self, window=None)
        low = min(max(low, extent[0]), extent[1] - length)
        return replace(self, window=(low, low + length))

    def reading(self, x: float | None) -> ChartView:
        """The cursor at `x`, or nowhere; a stretch that does not hold it moves until it does."""
        view = replace(self, cursor=x)
        if x is None or self.window is None or self.window[0] <= x <= self.window[1]:
            return view
        low, high = self.window
        low = x if x < low else x - (high - low)
        return replace(view, window=(low, low + high - self.window[0]))
