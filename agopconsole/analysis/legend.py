"""The lines below a chart: which line is whose, what went wrong in it, and what each is at the cursor."""

from __future__ import annotations

import math
from collections.abc import Sequence

from agopconsole.analysis.axes import Axes
from agopconsole.analysis.colours import GREY, WARNING
from agopconsole.analysis.page import Page, Parts
from agopconsole.analysis.reading import Reading, read_at
from agopconsole.analysis.series import Scaled, Series

_NO_VALUE = "-"


def lost_note(scaled: Scaled, axes: Axes) -> str:
    """What is said of values that were not finite."""
    if not scaled.lost:
        return ""
    first = axes.place(scaled.lost[0])
    if len(scaled.series.lost) > 1:
        return f" ✗ {len(scaled.series.lost)} diverged, first in {first}"
    word = "diverged" if scaled.ends_lost or scaled.series.lost else "not finite"
    return f" ✗ {word}, {first}"


def legend(page: Page, lines: Sequence[Scaled], symbols: Sequence[str], axes: Axes, most: int) -> list[str]:
    """The legend in at most `most` lines, what diverged first; what finds no room is counted."""
    by_urgency = sorted(zip(lines, symbols, strict=True), key=lambda entry: not entry[0].lost)
    entries = [
        [
            (symbol, one.series.colour),
            (f" {one.series.label}", None),
            (lost_note(one, axes), WARNING),
            (f" {one.masked} ≤ 0 not shown" if one.masked else "", GREY),
        ]
        for one, symbol in by_urgency
    ]
    return page.flow(entries, most)[0]


def reading_legend(
    page: Page, series: Sequence[Series], symbols: Sequence[str], axes: Axes, most: int, x: float
) -> list[str]:
    """The value of every line at `x` in at most `most` lines, with as much of the labels as that leaves room for."""
    lines: list[str] = []
    for words in (lambda label: f" {label}", lambda label: f" {label.split()[0]}" if label.split() else "", _nothing):
        entries: list[Parts] = [[(axes.place(x), GREY)]]
        entries += [
            [(symbol, one.colour), (f" {_value(read_at(one, x))}", None), (words(one.label), GREY)]
            for one, symbol in zip(series, symbols, strict=True)
        ]
        lines, left_out = page.flow(entries, most)
        if not left_out:
            break
    return lines


def _nothing(label: str) -> str:
    del label
    return ""


def _value(reading: Reading | None) -> str:
    if reading is None:
        return _NO_VALUE
    if not math.isfinite(reading.y):
        return "✗"
    return f"{reading.y:.4g}" + (f"±{reading.band:.2g}" if reading.band else "")
