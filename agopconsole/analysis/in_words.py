"""Charts where nothing can be drawn: a line of text a series in too small a place, else why there is nothing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from rich.cells import cell_len

from agopconsole.analysis.axes import Axes
from agopconsole.analysis.colours import GREY, WARNING
from agopconsole.analysis.legend import lost_note
from agopconsole.analysis.page import Page
from agopconsole.analysis.series import Scaled

NO_NUMBERS = "no numbers yet"
NOT_IN_WINDOW = "nothing in this stretch"
NOT_ABOVE_ZERO = "nothing above 0, which a log axis could show"

_SPARKS, _ASCII_SPARKS = "▁▂▃▄▅▆▇█", "_.-=+*#@"


def without_numbers(page: Page, lines: Sequence[Scaled], title: str, axes: Axes) -> list[str]:
    """A page that says that there is nothing to draw, why, and which lines were lost before their first number."""
    says = _why_nothing(lines)
    lost = [one for one in lines if one.lost] if says == NO_NUMBERS else []
    words = [f"{one.series.label}{lost_note(one, axes)}" for one in lost] or [says]
    head = [page.line([(title, None)])] if title and page.height > 1 else []
    above = max(0, (page.height - len(head) - len(words)) // 2)
    body = [page.line([(text.center(page.width), WARNING if lost else GREY)]) for text in words]
    return [*head, *[" " * page.width] * above, *body]


def _why_nothing(lines: Sequence[Scaled]) -> str:
    if any(one.masked for one in lines):
        return NOT_ABOVE_ZERO
    if any(math.isfinite(y) for one in lines for y in one.series.y):
        return NOT_IN_WINDOW
    return NO_NUMBERS


def in_words(page: Page, lines: Sequence[Scaled], title: str, axes: Axes) -> list[str]:
    """One line a series: its last value, and its course where there is room."""
    head = [page.line([(title, None)])] if title and page.height > len(lines) else []
    written = []
    for one, symbol in zip(lines, page.symbols([one.series.dotted for one in lines]), strict=True):
        note = lost_note(one, axes)
        values = [point[1] for point in one.points if math.isfinite(point[1])]
        last = 10 ** values[-1] if values and axes.log else values[-1] if values else None
        value = f" {last:.4g}" if last is not None else ""
        room = page.width - cell_len(f"{symbol} {one.series.label}{value}{note} ")
        course = _sparkline(values, room, _SPARKS if page.unicode else _ASCII_SPARKS) if room >= 4 else ""
        label = f" {one.series.label}"
        tint = one.series.colour
        written.append(page.line([(symbol, tint), (f"{value}{label}", None), (note, WARNING), (f" {course}", tint)]))
    room = page.height - len(head)
    if len(written) > room:
        written = [*written[: room - 1], page.line([(f"+{len(written) - room + 1} more", GREY)])]
    return [*head, *written]


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
