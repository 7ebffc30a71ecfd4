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
    """The legend of the lines that are not dotted in at most `most` lines, what diverged first.

    With little room the notes get shorter, then the labels, and only then is what finds no room counted.
    """
    entries = [(one, symbol) for one, symbol in zip(lines, symbols, strict=True) if not one.series.dotted]
    entries.sort(key=lambda entry: not entry[0].lost)
    written: list[tuple[int, list[str]]] = []
    for label, note in ((_label, lost_note), (_label, _short_note), (_up_to_comma, _sign), (_first_word, _sign)):
        shown = [
            [
                (symbol, one.series.colour),
                (f" {label(one)}", None),
                (note(one, axes), WARNING),
                (f" {one.masked} ≤ 0 not shown" if one.masked else "", GREY),
            ]
            for one, symbol in entries
        ]
        found, left_out = page.flow(shown, most)
        told_apart = len({label(one) for one, _ in entries}) == len({_label(one) for one, _ in entries})
        if told_apart:
            written.append((left_out, found))
        if told_apart and not left_out:
            break
    return min(written, key=lambda one: one[0])[1]


def _label(scaled: Scaled) -> str:
    return scaled.series.label


def _up_to_comma(scaled: Scaled) -> str:
    return scaled.series.label.split(",")[0]


def _first_word(scaled: Scaled) -> str:
    return scaled.series.label.split(" ")[0]


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
