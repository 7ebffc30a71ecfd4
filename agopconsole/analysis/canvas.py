"""Draws curves with plotext: axes, bands, lines and marks go in, lines of ANSI text come out.

plotext takes 0.28 s to import and keeps one figure for the whole process: this module is imported where a chart is
drawn, never before, and one thread draws at a time.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import plotext

from agopconsole.analysis.axes import Axes
from agopconsole.analysis.colours import GREY, faded, to_rgb
from agopconsole.analysis.series import Curve, Limits
from agopconsole.analysis.ticks import log_ticks, round_ticks, tick_labels, time_label, time_ticks

_AXIS_LINES = 2
"""Lines below the canvas: the x axis and its ticks."""

_WHOLE_FROM = 1.0
"""From this length on x is labelled with whole numbers alone: epochs and steps are."""

_THEME = "agopconsole"
_ONE_AT_A_TIME = threading.Lock()

plotext.add_theme(_THEME, text=plotext.pixel(to_rgb(GREY)))
plotext.terminal.limit(width=False, height=False)


def draw(
    curves: Sequence[Curve],
    limits: Limits,
    markers: Sequence[str],
    axes: Axes,
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
        width: columns of the whole chart, axis included.
        height: lines of the whole chart, axis and ticks included.
        colour: whether to colour the lines.
    """
    with _ONE_AT_A_TIME:
        figure = plotext.figure.clear()
        figure.theme(_THEME)
        figure.plot_size(width, height)
        figure.axes(False, axis=("x", "y"), side=1)
        left = _set_rulers(figure, limits, axes, width, height)
        for curve in sorted(curves, key=_mean_band, reverse=True):  # a narrow band stays in sight upon a wide one
            _draw_bands(figure, curve)
        if axes.shows_zero:
            figure.draw(figure.segment((limits.x_low, limits.x_high), (0, 0), marker=_marker("─", GREY)))
        for curve, marker in zip(curves, markers, strict=True):
            _draw_lines(figure, curve, marker)
        _draw_marks(figure, curves, limits, width, height)
        matrix = figure.build()
        if axes.shows_zero and axes.notes:
            zero = round((height - _AXIS_LINES - 1) * limits.y_high / (limits.y_high - limits.y_low))
            for row, note in ((zero + 1, axes.notes[0]), (zero - 1, axes.notes[1])):
                if 0 <= row < height - _AXIS_LINES:
                    _write_where_free(matrix, row, note)
        _write_where_free(matrix, height - 1, "time" if axes.time else axes.x_label)
        text: str = matrix.string(colorless=not colour)
    return text.rstrip("\n").split("\n"), left


def _set_rulers(figure: Any, limits: Limits, axes: Axes, width: int, height: int) -> int:
    """Sets the ticks; the columns that those of y take with the axis."""
    low, high, count = limits.x_low, limits.x_high, width // 11
    if axes.time:
        places = time_ticks(low, high, count)
        labels = [time_label(place) for place in places]
    else:
        places = round_ticks(low, high, count, whole=high - low >= _WHOLE_FROM)
        labels = tick_labels(places)
    figure.ruler("x").lim(low, high).ticks(places, labels)
    low, high, count = limits.y_low, limits.y_high, max((height - _AXIS_LINES) // 3, 3)
    if axes.log:
        places, labels = log_ticks(low, high, count)
    else:
        places = round_ticks(low, high, count)
        labels = tick_labels(places)
    figure.ruler("y").lim(low, high).ticks(places, labels)
    return max(map(len, labels), default=0) + 1


def _mean_band(curve: Curve) -> float:
    pieces = curve.pieces
    return fmean(h - w for piece in pieces for w, h in zip(piece.low, piece.high, strict=True)) if pieces else 0.0


def _draw_bands(figure: Any, curve: Curve) -> None:
    marker = _marker("░", faded(curve.series.colour))
    for piece in curve.pieces:
        if piece.has_band:
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


def _write_where_free(matrix: Any, row: int, text: str) -> None:
    """Writes `text` into the rightmost gap of a row that is wide enough, or not at all."""
    line = matrix.string(colorless=True).split("\n")[row]
    gaps = [gap for gap in re.finditer("[ ░]+", line) if len(gap[0]) >= len(text) + 2 and gap.start() > 0]
    if gaps:
        matrix.insert(gaps[-1].end() - len(text) - 1, row, plotext.colorize(text).fill(plotext.pixel(to_rgb(GREY))))
