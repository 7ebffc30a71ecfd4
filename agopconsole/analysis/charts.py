"""Charts as text: series in, exactly so many lines of so many columns out, whatever the numbers are.

`curves.py` makes series of stored runs; the command line and the screen both draw them here. plotext is imported at
the first chart that is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agopconsole.analysis.axes import Axes
from agopconsole.analysis.curves import accuracy_series, loss_gap_series
from agopconsole.analysis.in_words import in_words, without_numbers
from agopconsole.analysis.legend import legend, reading_legend
from agopconsole.analysis.page import Page
from agopconsole.analysis.series import Limits, Series, find_limits, make_curve, to_scale
from agopconsole.analysis.ticks import log_ticks, row_scale, tick_labels

__all__ = ["Axes", "Picture", "Series", "accuracy_series", "draw_chart", "line_chart", "loss_gap_series"]

_NARROWEST, _LOWEST = 28, 7
"""Below this size a chart is a line of text a series."""


@dataclass(frozen=True)
class Canvas:
    """Where the lines of a chart are drawn.

    Attributes:
        left, top: its first column and line.
        columns, rows: its size.
        limits: what it shows.
    """

    left: int
    top: int
    columns: int
    rows: int
    limits: Limits

    def column(self, x: float) -> int | None:
        """The column of the chart that `x` lies in, or None beyond the canvas."""
        low, high = self.limits.x_low, self.limits.x_high
        if not low <= x <= high:
            return None
        return self.left + round((x - low) / (high - low) * (self.columns - 1))

    def x(self, column: int) -> float:
        """The x in the middle of a column of the chart, the outermost ones standing for all beyond the canvas."""
        share = min(max((column - self.left) / max(self.columns - 1, 1), 0.0), 1.0)
        return self.limits.x_low + share * (self.limits.x_high - self.limits.x_low)


@dataclass(frozen=True)
class Picture:
    """A chart that is drawn.

    Attributes:
        page: what it is written on.
        lines: its text.
        series: what it shows.
        axes: what they count.
        symbols: for each series the sign that the legend knows it by.
        canvas: where its lines are; None where it says all in words.
    """

    page: Page
    lines: tuple[str, ...]
    series: tuple[Series, ...]
    axes: Axes
    symbols: tuple[str, ...] = ()
    canvas: Canvas | None = None

    def read(self, x: float) -> list[str]:
        """The lines that take the place of the legend, as many as it has: the value of every series at `x`."""
        below = self._lines_below()
        lines = reading_legend(self.page, self.series, self.symbols, self.axes, below, x)
        return [*lines, *[" " * self.page.width] * (below - len(lines))]

    def _lines_below(self) -> int:
        return len(self.lines) - (self.canvas.top + self.canvas.rows + AXIS_LINES) if self.canvas else 0


AXIS_LINES = 2
"""Lines below the canvas: the x axis and its ticks."""


def draw_chart(
    series: Sequence[Series],
    axes: Axes,
    *,
    width: int,
    height: int,
    title: str = "",
    window: tuple[float, float] | None = None,
    named: bool = True,
    colour: bool = True,
    unicode: bool = True,
) -> Picture:
    """A line chart of at most `height` lines of `width` columns.

    Its escape sequences name 24-bit colours; print it through rich where the terminal may know fewer.

    Args:
        series: the lines; values that are not finite break them and are marked.
        axes: what they count.
        width: in columns, at least 1.
        height: in lines, at least 1.
        title: first line of the chart; an empty one takes no line.
        window: the stretch of x that is shown; None for all of it.
        named: whether it has a legend; without one it still tells what it cannot show.
        colour: whether to use escape sequences.
        unicode: whether to use characters outside ASCII.
    """
    page = Page(width, height, colour, unicode)
    lines = [to_scale(one, log=axes.log, window=window) for one in series]
    limits = find_limits(lines, include_zero=axes.shows_zero, window=window)
    if limits is None:
        return Picture(page, tuple(without_numbers(page, lines, title, axes)), tuple(series), axes)
    if width < _NARROWEST or height < _LOWEST:
        return Picture(page, tuple(in_words(page, lines, title, axes)), tuple(series), axes)
    symbols = page.symbols([one.dotted for one in series])
    head = [page.line([(title, None)])] if title else []
    told = [i for i, one in enumerate(lines) if named or one.masked]
    below = legend(page, [lines[i] for i in told], [symbols[i] for i in told], axes) if told else []
    rows = height - len(head) - len(below)
    if axes.log:
        ticks, labels = log_ticks(limits.y_low, limits.y_high, max((rows - AXIS_LINES) // 3, 3))
    else:
        y_low, y_high, ticks = row_scale(limits.y_low, limits.y_high, rows - AXIS_LINES)
        limits, labels = replace(limits, y_low=y_low, y_high=y_high), tick_labels(ticks)
    marks = dict(zip(ticks, labels, strict=True))

    from agopconsole.analysis.canvas import draw  # plotext: 0.28 s, spent only where something is drawn

    curves = [make_curve(one, limits, width) for one in lines]
    chart, left = draw(curves, limits, page.markers(symbols), axes, marks, width=width, height=rows, colour=colour)
    canvas = Canvas(left, len(head), width - left, rows - AXIS_LINES, limits)
    return Picture(page, (*head, *chart, *below), tuple(series), axes, tuple(symbols), canvas)


def line_chart(
    series: Sequence[Series],
    axes: Axes | None = None,
    *,
    width: int,
    height: int,
    title: str,
    colour: bool = True,
    unicode: bool = True,
) -> str:
    """A line chart as text of exactly `height` lines of `width` columns; the arguments are as above."""
    axes = axes or Axes()
    picture = draw_chart(series, axes, width=width, height=height, title=title, colour=colour, unicode=unicode)
    return picture.page.join(picture.lines)
