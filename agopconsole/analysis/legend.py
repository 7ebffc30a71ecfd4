"""The lines below a chart or a grid: which line is whose, what went wrong in it, and what each is at the cursor."""

from __future__ import annotations

import math
from collections.abc import Sequence

from agopconsole.analysis.axes import Axes
from agopconsole.analysis.colours import GREY, WARNING
from agopconsole.analysis.page import Page, Parts
from agopconsole.analysis.reading import Reading, read_at
from agopconsole.analysis.series import Scaled, Series, to_scale
from agopconsole.analysis.short_names import short_names

_NO_VALUE = "-"
_HUNDRED = 99.5
"""From here on two digits would be written with an exponent, and from its square on four."""

_LONG = 1e7
"""A number of so many digits is not read at a glance, written out or not."""

Shares = tuple[float, float, float]
_OF_A_CHART: Shares = (1 / 4, 1 / 3, 1 / 3)
_OF_A_GRID: Shares = (1 / 11, 1 / 7, 1 / 5)
"""Of the lines of a page, that a legend may take, should it need them, and at the most."""


def lost_note(scaled: Scaled, axes: Axes) -> str:
    """What is said of values that were not finite."""
    if not scaled.lost:
        return ""
    first = axes.place(scaled.lost[0])
    if len(scaled.series.lost) > 1:
        return f" ✗ {len(scaled.series.lost)} diverged, first in {first}"
    word = "diverged" if scaled.ends_lost or scaled.series.lost else "not finite"
    return f" ✗ {word}, {first}"


def legend(
    page: Page, lines: Sequence[Scaled], symbols: Sequence[str], axes: Axes, shares: Shares = _OF_A_CHART
) -> list[str]:
    """The legend of the lines that are not dotted, what diverged first.

    It takes the first share of the page if that will do. With little room the notes get shorter, then the labels have
    fewer words, then it may take the second share, then the words get shorter, and at the last it may take the third.
    Only then is what finds no room counted. The entries change places where that makes the difference.
    """
    few, more, most = (max(1, int(page.height * share)) for share in shares)
    entries = [(one, symbol) for one, symbol in zip(lines, symbols, strict=True) if not one.series.dotted]
    entries.sort(key=lambda entry: not entry[0].lost)
    named, cut = short_names([one.series.label for one, _ in entries])
    attempts = [(named[0], lost_note, few), (named[0], _short_note, few)]
    attempts += [(names, _sign, few) for names in named]
    attempts += [(names, _sign, room) for room in (more, most) for names in (*named, *cut)]
    written: list[tuple[list[str], int]] = []
    for labels, note, room in attempts:
        shown = [
            [
                (symbol, one.series.colour),
                (f" {label}", None),
                (note(one, axes), WARNING),
                (f" {one.masked} ≤ 0 not shown" if one.masked else "", GREY),
            ]
            for (one, symbol), label in zip(entries, labels, strict=True)
        ]
        written.append(page.flow(shown, room))
        if written[-1][1]:
            written.append(page.flow([shown[i] for i in page.pack(shown)], room))
        if not written[-1][1]:
            break
    return min(written, key=lambda one: one[1])[0]


def shared_legend(series: Sequence[Series], axes: Axes, *, width: int, height: int) -> list[str]:
    """One legend for all charts of a grid of that size, which know their lines by colour."""
    page = Page(width, height, colour=True, unicode=True)
    lines = [to_scale(one) for one in series]
    return legend(page, lines, page.symbols([False] * len(lines)), axes, _OF_A_GRID) if lines else []


def _short_note(scaled: Scaled, axes: Axes) -> str:
    """How many were lost, but not where."""
    del axes
    count = len(scaled.series.lost)
    return f" ✗ {count} diverged" if count > 1 else " ✗ diverged" if scaled.lost else ""


def _sign(scaled: Scaled, axes: Axes) -> str:
    del axes
    return " ✗" if scaled.lost else ""


def reading_legend(
    page: Page, series: Sequence[Series], symbols: Sequence[str], axes: Axes, most: int, x: float
) -> list[str]:
    """The value of every line at `x` in at most `most` lines, with as much of the labels as that leaves room for."""
    lines: list[str] = []
    named, cut = short_names([one.label for one in series])
    for labels in (*named, *cut, [""] * len(series)):
        entries: list[Parts] = [[(axes.place(x), GREY)]]
        entries += [
            [(symbol, one.colour), (f" {_value(read_at(one, x))}", None), (f" {label}" if label else "", GREY)]
            for one, symbol, label in zip(series, symbols, labels, strict=True)
        ]
        lines, left_out = page.flow(entries, most)
        if not left_out:
            break
    return lines


def _value(reading: Reading | None) -> str:
    if reading is None:
        return _NO_VALUE
    if not math.isfinite(reading.y):
        return "✗"
    band = reading.band or 0.0
    value = f"{reading.y:.0f}" if _HUNDRED**2 < abs(reading.y) < _LONG else f"{reading.y:.4g}"
    return value + (f"±{band:.0f}" if band >= _HUNDRED else f"±{band:.2g}" if band else "")
