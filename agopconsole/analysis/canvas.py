"""Draws curves with plotext: axes, bands, lines and marks go in, lines of ANSI text come out.

plotext takes 0.28 s to import and keeps one figure for the whole process: this module is imported where a chart is
drawn, never before, and one thread draws at a time.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

import plotext

from agopconsole.analysis.axes import Axes
from agopconsole.analysis.colours import GREY, faded, to_rgb
from agopconsole.analysis.series import Curve, Limits
from agopconsole.analysis.ticks import round_ticks, tick_labels, time_label, time_ticks

_AXIS_LINES = 2
"""Lines below the canvas: the x axis and its ticks."""

_WHOLE_FROM = 1.0
"""From this length on x is labelled with whole numbers alone: epochs and steps are."""

_APART = 3
"""Columns at least between a tick's label and a word that is not of it."""

_THEME = "agopconsole"
_ONE_AT_A_TIME = threading.Lock()

plotext.add_theme(_THEME, text=plotext.pixel(to_rgb(GREY)))
plotext.terminal.limit(width=False, height=False)


def draw(
    curves: Sequence[Curve],
    limits: Limits,
    markers: Sequence[str],
    axes: Axes,
    y_ticks: Mapping[float, str],
    *,
    width: int,
    height: int,
    colour: bool,
) -> tuple[list[str], int]:
    """The chart of `curves` as `height` lines of `width` columns, and the first column that lines are drawn in.

    Args:
        curves: the lines, the last one on top.
        limits: what the canvas shows; the curves lie within them.
        markers: for each curve the character it is drawn with, or "" for fine lines of braille dots.
        axes: what they count.
        y_ticks: places along the y axis, and what stands there.
        width: columns of the whole chart, axis included.
        height: lines of the whole chart, axis and ticks included.
        colour: whether to colour the lines.
    """
    with _ONE_AT_A_TIME:
        figure = plotext.figure.clear()
        figure.theme(_THEME)
        figure.plot_size(width, height)
        figure.axes(False, axis=("x", "y"), side=1)
        _set_rulers(figure, limits, axes, y_ticks, width)
        left = max(map(len, y_ticks.values()), default=0) + 1
        row = (limits.y_high - limits.y_low) / max(height - _AXIS_LINES - 1, 1)
        for curve in sorted(curves, key=_mean_band, reverse=True):  # a narrow band stays in sight upon a wide one
            if _mean_band(curve) >= row:  # a narrower one would show by chance, here and there
                _draw_bands(figure, curve)
        if axes.shows_zero:
            figure.draw(figure.segment((limits.x_low, limits.x_high), (0, 0), marker=_marker("─", GREY)))
        lines = sorted(zip(curves, markers, strict=True), key=lambda line: not line[0].series.dotted)
        for curve, marker in lines:  # a dotted line below the one that matters more
            _draw_lines(figure, curve, marker)
        _draw_marks(figure, curves, limits, width, height)
        matrix = figure.build()
        if axes.shows_zero and axes.notes:
            zero = round((height - _AXIS_LINES - 1) * limits.y_high / (limits.y_high - limits.y_low))
            _write_where_free(matrix, range(zero + 1, height - _AXIS_LINES), axes.notes[0])
            _write_where_free(matrix, range(zero - 1, -1, -1), axes.notes[1])
        _name_ticks(matrix, height - 1, axes)
        text: str = matrix.string(colorless=not colour)
    return text.rstrip("\n").split("\n"), left


def _set_rulers(figure: Any, limits: Limits, axes: Axes, y_ticks: Mapping[float, str], width: int) -> None:
    """Sets limits and ticks."""
    low, high, count = limits.x_low, limits.x_high, width // 11
    if axes.time:
        places = time_ticks(low, high, count)
        labels = [time_label(place) for place in places]
    else:
        places = round_ticks(low, high, count, whole=high - low >= _WHOLE_FROM)
        labels = tick_labels(places)
    figure.ruler("x").lim(low, high).ticks(places, labels)
    figure.ruler("y").lim(limits.y_low, limits.y_high).ticks(list(y_ticks), list(y_ticks.values()))


def _mean_band(curve: Curve) -> float:
    pieces = curve.pieces
    return fmean(h - w for piece in pieces for w, h in zip(piece.low, piece.high, strict=True)) if pieces else 0.0


def _draw_bands(figure: Any, curve: Curve) -> None:
    marker = _marker("░", faded(curve.series.colour))
    for piece in curve.pieces:
        upper, lower = (figure.signal(piece.x, edge, marker=marker) for edge in (piece.high, piece.low))
        figure.draw(upper.fill(lower).lines())


def _draw_lines(figure: Any, curve: Curve, symbol: str) -> None:
    for piece in curve.pieces:
        alone = len(piece) == 1  # one braille dot would be lost
        marker = _marker(symbol or ("●" if alone else "braille"), curve.series.colour)
        figure.draw(figure.signal(piece.x, piece.y, marker=marker).lines())


def _draw_marks(figure: Any, curves: Sequence[Curve], limits: Limits, width: int, height: int) -> None:
    """Marks where a curve was not finite (at the lower edge) and where it was clipped (at the edge it left by)."""
    row = (limits.y_high - limits.y_low) / (height - _AXIS_LINES)
    column = (limits.x_high - limits.x_low) / width
    taken: Counter[int] = Counter()
    for curve in curves:
        for x, edge in curve.clipped:
            marker = _marker("▲" if edge == limits.y_high else "▼", curve.series.colour)
            figure.draw(figure.signal([x], [edge], marker=marker))
        for at, x in {int((x - limits.x_low) / column): x for x in _in_sight(curve, limits)}.items():
            # Runs that are lost at the same epoch stand one above the other.
            y = min(limits.y_low + taken[at] * row, limits.y_high)
            taken[at] += 1
            figure.draw(figure.signal([x], [y], marker=_marker("✗", curve.series.colour)))


def _in_sight(curve: Curve, limits: Limits) -> list[float]:
    return [x for x in curve.scaled.lost if limits.x_low <= x <= limits.x_high]


def _marker(symbol: str, colour: str) -> Any:
    return plotext.marker(symbol, pixel=plotext.pixel(to_rgb(colour)))


def _write_where_free(matrix: Any, rows: Iterable[int], text: str) -> None:
    """Writes `text` into the rightmost gap that is wide enough, in the first of the rows with one, or not at all."""
    for row in rows:
        gaps = [gap for gap in re.finditer("[ ░]+", _line(matrix, row)) if gap.start() > 0]
        ends = [gap.end() for gap in gaps if len(gap[0]) >= len(text) + 2]
        if ends:
            _write(matrix, row, ends[-1] - len(text) - 1, text)
            return


def _name_ticks(matrix: Any, row: int, axes: Axes) -> None:
    """Writes what the ticks count before one of them, apart from the one on its left: the last that has such room.

    Where none has, the last but one loses its label; times say themselves what they are.
    """
    name = "time" if axes.time else axes.x_label
    labels = list(re.finditer(r"\S+", _line(matrix, row)))
    edges = [-_APART, *(label.end() for label in labels)]
    starts = [*(label.start() for label in labels), matrix.width()]
    ends = [start for end, start in zip(edges, starts, strict=True) if start - end >= _APART + len(name) + 1]
    if not ends and len(labels) > 2 and not axes.time:
        _write(matrix, row, labels[-2].start(), " " * len(labels[-2][0]))
        ends = [labels[-1].start()]
    if ends:
        _write(matrix, row, ends[-1] - len(name) - 1, name)


def _line(matrix: Any, row: int) -> str:
    text: str = matrix.string(colorless=True)
    return text.split("\n")[row]


def _write(matrix: Any, row: int, column: int, text: str) -> None:
    matrix.insert(column, row, plotext.colorize(text).fill(plotext.pixel(to_rgb(GREY))))
