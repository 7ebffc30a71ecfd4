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

from agopconsole.analysis.colours import GREY, faded, to_rgb
from agopconsole.analysis.series import Curve, Limits
from agopconsole.analysis.ticks import round_ticks, tick_labels

_AXIS_LINES = 2
"""Lines below the canvas: the x axis and its ticks."""

_THEME = "agopconsole"
_ONE_AT_A_TIME = threading.Lock()

plotext.add_theme(_THEME, text=plotext.pixel(to_rgb(GREY)))
plotext.terminal.limit(width=False, height=False)


def draw(
    curves: Sequence[Curve],
    limits: Limits,
    symbols: Sequence[str],
    *,
    width: int,
    height: int,
    x_label: str,
    zero_line: bool,
    notes: tuple[str, str] | None,
    colour: bool,
) -> list[str]:
    """The chart of `curves` as `height` lines of `width` columns.

    Args:
        curves: the lines, the last one on top.
        limits: what the canvas shows; the curves lie within them.
        symbols: for each curve the character it is drawn with, or "" for fine lines of braille dots.
        width: columns of the whole chart, axis included.
        height: lines of the whole chart, axis and ticks included.
        x_label: what x counts.
        zero_line: whether to draw y = 0.
        notes: what it means to lie below and above that line.
        colour: whether to colour the lines.
    """
    with _ONE_AT_A_TIME:
        figure = plotext.figure.clear()
        figure.theme(_THEME)
        figure.plot_size(width, height)
        figure.axes(False, axis=("x", "y"), side=1)
        _set_rulers(figure, limits, width, height)
        for curve in sorted(curves, key=_mean_band, reverse=True):  # a narrow band stays in sight upon a wide one
            _draw_bands(figure, curve, limits)
        if zero_line:
            figure.draw(figure.segment((limits.x_low, limits.x_high), (0, 0), marker=_marker("─", GREY)))
        for curve, symbol in zip(curves, symbols, strict=True):
            _draw_lines(figure, curve, symbol)
        _draw_marks(figure, curves, limits, width, height)
        matrix = figure.build()
        if zero_line and notes:
            zero = round((height - _AXIS_LINES - 1) * limits.y_high / (limits.y_high - limits.y_low))
            for row, note in ((zero + 1, notes[0]), (zero - 1, notes[1])):
                if 0 <= row < height - _AXIS_LINES:
                    _write_where_free(matrix, row, note)
        _write_where_free(matrix, height - 1, x_label)
        text: str = matrix.string(colorless=not colour)
    return text.rstrip("\n").split("\n")


def _set_rulers(figure: Any, limits: Limits, width: int, height: int) -> None:
    for axis, low, high, count in (
        ("x", limits.x_low, limits.x_high, width // 11),
        ("y", limits.y_low, limits.y_high, max((height - _AXIS_LINES) // 3, 3)),
    ):
        ticks = round_ticks(low, high, count, whole=axis == "x")
        figure.ruler(axis).lim(low, high).ticks(ticks, tick_labels(ticks))


def _mean_band(curve: Curve) -> float:
    return fmean(band for piece in curve.pieces for band in piece.band) if curve.pieces else 0.0


def _draw_bands(figure: Any, curve: Curve, limits: Limits) -> None:
    marker = _marker("░", faded(curve.series.colour))
    for piece in curve.pieces:
        if not any(piece.band):
            continue
        edges = [
            [
                min(max(y + side * band, limits.y_low), limits.y_high)
                for y, band in zip(piece.y, piece.band, strict=True)
            ]
            for side in (1, -1)
        ]
        upper, lower = (figure.signal(piece.x, edge, marker=marker) for edge in edges)
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
        for at, x in {int((x - limits.x_low) / column): x for x in curve.lost}.items():
            # Runs that are lost at the same epoch stand one above the other.
            y = min(limits.y_low + taken[at] * row, limits.y_high)
            taken[at] += 1
            figure.draw(figure.signal([x], [y], marker=_marker("✗", curve.series.colour)))


def _marker(symbol: str, colour: str) -> Any:
    return plotext.marker(symbol, pixel=plotext.pixel(to_rgb(colour)))


def _write_where_free(matrix: Any, row: int, text: str) -> None:
    """Writes `text` into the rightmost gap of a row that is wide enough, or not at all."""
    line = matrix.string(colorless=True).split("\n")[row]
    gaps = [gap for gap in re.finditer("[ ░]+", line) if len(gap[0]) >= len(text) + 2 and gap.start() > 0]
    if gaps:
        matrix.insert(gaps[-1].end() - len(text) - 1, row, plotext.colorize(text).fill(plotext.pixel(to_rgb(GREY))))
