"""Charts as text: series in, exactly so many lines of so many columns out, whatever the numbers are.

`curves.py` makes series of stored runs; the command line and the screen both draw them here. plotext is imported at
the first chart that is drawn.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from agopconsole.analysis.colours import GREY, WARNING, to_rgb
from agopconsole.analysis.curves import accuracy_series, loss_gap_series
from agopconsole.analysis.series import Curve, Limits, Series, find_limits, make_curve

__all__ = ["Series", "accuracy_series", "line_chart", "loss_gap_series"]

NO_NUMBERS = "no numbers yet"

_NARROWEST, _LOWEST = 28, 7
"""Below this size a chart is a line of text a series."""

_SYMBOLS, _ASCII_SYMBOLS = "●◆▲■○◇△□", "o*+%&@=#"
_SPARKS, _ASCII_SPARKS = "▁▂▃▄▅▆▇█", "_.-=+*#@"
_ASCII = str.maketrans(
    {
        **dict.fromkeys("│┤├", "|"),
        **dict.fromkeys("└┬┴┼", "+"),
        "─": "-",
        "✗": "X",
        "▲": "^",
        "▼": "v",
        "░": ".",
        "…": ".",
        "±": "+-",
    }
)


def line_chart(
    series: Sequence[Series],
    *,
    width: int,
    height: int,
    title: str,
    x_label: str = "epoch",
    zero_line: bool = False,
    notes: tuple[str, str] | None = None,
    colour: bool = True,
    unicode: bool = True,
) -> str:
    """A line chart as text of exactly `height` lines of `width` columns.

    Its escape sequences name 24-bit colours; print it through rich where the terminal may know fewer.

    Args:
        series: the lines; values that are not finite break them and are marked.
        width: in columns, at least 1.
        height: in lines, at least 1.
        title: first line of the chart; an empty one takes no line.
        x_label: what x counts.
        zero_line: whether y = 0 is drawn and stays in view.
        notes: what it means to lie below and above zero.
        colour: whether to use escape sequences.
        unicode: whether to use characters outside ASCII.
    """
    page = _Page(width, height, colour, unicode)
    limits = find_limits(series, include_zero=zero_line)
    if limits is None:
        return page.join(_without_numbers(page, series, title, x_label))
    curves = [make_curve(one, limits, width) for one in series]
    if width < _NARROWEST or height < _LOWEST:
        return page.join(_in_words(page, curves, title, x_label))
    head = [page.line([(title, None)])] if title else []
    symbols = page.symbols(len(curves))
    legend = _legend(page, curves, symbols, x_label, most=max(1, height // 5))

    from agopconsole.analysis.canvas import draw  # plotext: 0.28 s, spent only where something is drawn

    chart = draw(
        curves,
        limits,
        [""] * len(curves) if colour and unicode else symbols,
        width=width,
        height=height - len(head) - len(legend),
        x_label=x_label,
        zero_line=zero_line,
        notes=notes,
        colour=colour,
    )
    return page.join([*head, *chart, *legend])


class _Page:
    """The text that a chart is written into: its size, and what the terminal can show."""

    def __init__(self, width: int, height: int, colour: bool, unicode: bool) -> None:
        self.width, self.height = width, height
        self.colour, self.unicode = colour, unicode

    def symbols(self, count: int) -> list[str]:
        """For each line of the chart the sign that the legend knows it by; with colour they are all alike."""
        if self.colour and self.unicode:
            return ["■"] * count
        symbols = _SYMBOLS if self.unicode else _ASCII_SYMBOLS
        return [symbols[i % len(symbols)] for i in range(count)]

    def fit(self, text: str) -> str:
        """`text` with whatever would break a line or cannot be shown written otherwise."""
        text = "".join(c if c.isprintable() else " " for c in text)
        return text if self.unicode else text.translate(_ASCII).encode("ascii", "replace").decode()

    def line(self, parts: Sequence[tuple[str, str | None]]) -> str:
        """One line of texts and their colours ("#rrggbb" or None), cut or filled up to the width of the page."""
        left, out = self.width, ""
        for text, tint in parts:
            text = self.fit(text)
            if cell_len(text) > left:
                text = set_cell_size(text, max(left - 1, 0)) + self.fit("…")[:left]
            left -= cell_len(text)
            painted = tint and self.colour and text
            out += "\x1b[38;2;{};{};{}m{}\x1b[0m".format(*to_rgb(tint), text) if painted and tint else text
        return out + " " * left

    def join(self, lines: Sequence[str]) -> str:
        """The page of these lines, cut or filled up to its height."""
        blank = " " * self.width
        lines = lines if self.unicode else [line.translate(_ASCII) for line in lines]
        return "\n".join([*lines[: self.height], *[blank] * (self.height - len(lines))])


def _lost_note(curve: Curve, x_label: str) -> str:
    """What the legend says of values that were not finite."""
    if not curve.lost:
        return ""
    if len(curve.series.lost) > 1:
        return f" ✗ {len(curve.series.lost)} diverged, first in {x_label} {curve.lost[0]:g}"
    word = "diverged" if curve.ends_lost or curve.series.lost else "not finite"
    return f" ✗ {word}, {x_label} {curve.lost[0]:g}"


def _legend(page: _Page, curves: Sequence[Curve], symbols: Sequence[str], x_label: str, most: int) -> list[str]:
    """The legend in at most `most` lines, what diverged first; what finds no room is counted."""
    gap = 3
    lines: list[list[tuple[str, str | None]]] = [[]]
    used = 0
    by_urgency = sorted(zip(curves, symbols, strict=True), key=lambda entry: not entry[0].lost)
    for i, (curve, symbol) in enumerate(by_urgency):
        note = _lost_note(curve, x_label)
        entry = cell_len(f"{symbol} {curve.series.label}{note}")
        more = f"+{len(curves) - i} more"
        reserve = gap + len(more) if len(lines) == most and i < len(curves) - 1 else 0
        if lines[-1] and used + gap + entry + reserve > page.width:
            if len(lines) == most:
                lines[-1] += [(" " * gap + more, GREY)]
                break
            lines.append([])
            used = 0
        if lines[-1]:
            lines[-1].append((" " * gap, None))
            used += gap
        lines[-1] += [(symbol, curve.series.colour), (f" {curve.series.label}", None), (note, WARNING)]
        used += entry
    return [page.line(line) for line in lines]


def _without_numbers(page: _Page, series: Sequence[Series], title: str, x_label: str) -> list[str]:
    """A page that says that there is nothing to draw, and which lines were lost before their first number."""
    limits = Limits(0, 1, 0, 1)
    lost = [curve for curve in (make_curve(one, limits, 1) for one in series) if curve.ends_lost or curve.lost]
    says = [f"{curve.series.label}{_lost_note(curve, x_label)}" for curve in lost] or [NO_NUMBERS]
    head = [page.line([(title, None)])] if title and page.height > 1 else []
    above = max(0, (page.height - len(head) - len(says)) // 2)
    body = [page.line([(text.center(page.width), WARNING if lost else GREY)]) for text in says]
    return [*head, *[" " * page.width] * above, *body]


def _in_words(page: _Page, curves: Sequence[Curve], title: str, x_label: str) -> list[str]:
    """One line a curve: its last value, and its course where there is room."""
    head = [page.line([(title, None)])] if title and page.height > len(curves) else []
    lines = []
    for curve, symbol in zip(curves, page.symbols(len(curves)), strict=True):
        note = _lost_note(curve, x_label)
        values = [y for piece in curve.pieces for y in piece.y]
        value = f" {values[-1]:.4g}" if values else ""
        room = page.width - cell_len(f"{symbol} {curve.series.label}{value}{note} ")
        course = _sparkline(values, room, _SPARKS if page.unicode else _ASCII_SPARKS) if room >= 4 else ""
        label = f" {curve.series.label}"
        tint = curve.series.colour
        lines.append(page.line([(symbol, tint), (f"{value}{label}", None), (note, WARNING), (f" {course}", tint)]))
    room = page.height - len(head)
    if len(lines) > room:
        lines = [*lines[: room - 1], page.line([(f"+{len(lines) - room + 1} more", GREY)])]
    return [*head, *lines]


def _sparkline(values: Sequence[float], width: int, levels: str) -> str:
    """The course of `values` in at most `width` characters, each the mean of those that fall on it."""
    if not values:
        return ""
    count = min(width, len(values))
    edges = [round(i * len(values) / count) for i in range(count + 1)]
    means = [math.fsum(values[a:b]) / (b - a) for a, b in itertools.pairwise(edges)]
    low, span = min(means), max(means) - min(means)
    top = len(levels) - 1
    return "".join(levels[round((mean - low) / span * top) if span else 0] for mean in means)
