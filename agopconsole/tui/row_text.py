"""One row of the table of runs as a line of text: names to the left, numbers to the right."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from agopconsole.analysis.colours import GREY, WARNING, method_colour, run_colour
from agopconsole.tui import words
from agopconsole.tui.columns import Column, Sort
from agopconsole.tui.rows import HeadingRow, MethodRow, Row, RunRow
from agopconsole.tui.theme import CAUTION, SELECTED

_BAR, _SHORTEST_BAR = 12, 4

Parts = list[tuple[str, str]]


def heading_line(width: int, columns: Sequence[Column], *, grouped: bool, sort: Sort | None = None) -> Text:
    """The names of the columns; the one that rows are sorted by has an arrow."""
    arrow = "" if sort is None else "▼" if sort.descending else "▲"
    titles = [f"{arrow}{column.title}" if sort and sort.key == column.key else column.title for column in columns]
    return _fit(_line([("  method" if grouped else "  run", "")], titles, columns, width), width)


def row_line(row: Row, width: int, columns: Sequence[Column], *, selected: bool) -> Text:
    """The row in `width` characters, its numbers in `columns`."""
    mark = ("●", SELECTED) if selected else (" ", "")
    if isinstance(row, HeadingRow):
        line = _heading(row, width, mark)
    elif isinstance(row, MethodRow):
        line = _method(row, width, columns, mark)
    else:
        assert isinstance(row, RunRow)
        line = _run(row, width, columns, mark)
    return _fit(line, width)


def _heading(row: HeadingRow, width: int, mark: tuple[str, str]) -> Text:
    sign = "▾ " if row.is_open else "▸ "
    return _cut([mark, (sign, GREY), (row.title, "bold"), (f"  {row.recipe}", GREY)], width)


def _method(row: MethodRow, width: int, columns: Sequence[Column], mark: tuple[str, str]) -> Text:
    name: Parts = [mark, ("■ ", method_colour(row.method)), (row.label, "bold" if row.leads else "")]
    long, short = _notes(row, long=True), _notes(row, long=False)
    if row.best.n == 0:
        room = width - _length(name)
        return _right(name, long if _length(long) <= room else short, width)
    room = width - _widths(columns) - _length(name)
    name += long if _length(long) <= room else short
    return _line(name, [column.text(row) for column in columns], columns, width, style="bold" if row.leads else "")


def _notes(row: MethodRow, *, long: bool) -> Parts:
    """What a reader must know of beside the mean, in words or in signs."""
    counts = dict(row.counts)
    queued = sum(run.status in ("queued", "waiting") for run in row.runs)
    running = sum(run.status == "running" for run in row.runs)
    notes = (
        (counts.get("diverged", 0), "✗", "diverged", WARNING),
        (counts.get("failed", 0), "✗", "failed", WARNING),
        (counts.get("at_chance", 0), "≈", "at chance", CAUTION),
        (running, "▶", "running", GREY),
        (queued, "◌", "queued", GREY),
    )
    return [
        (f" {sign} {count} {word}" if long else f" {sign}{count}", style)
        for count, sign, word, style in notes
        if count
    ]


def _run(row: RunRow, width: int, columns: Sequence[Column], mark: tuple[str, str]) -> Text:
    run = row.run
    colour = run_colour(run.method, run.seed)
    sign = words.STATE_SIGNS[run.status]
    tint = WARNING if run.status == "failed" else colour if run.status in ("running", "done") else GREY
    indent = "  " * len(row.parents[1:])
    shows_epoch = run.status == "running" and all(column.key != "epoch" for column in columns)
    count = f" {run.epoch}/{run.epochs}" if shows_epoch else ""
    label = run.title if row.shows_method else f"#{run.id} s{run.seed}"
    texts = [column.text(row) for column in columns]
    # The name may reach into the columns to its right that have nothing to say of a run.
    blank = next((i for i, text in enumerate(texts) if text), len(texts))
    texts, columns = texts[blank:], columns[blank:]
    room = width - _widths(columns)
    if count and 3 + len(indent + label + count) > room:
        label = label[: room - len(indent + count) - 4] + "…"
    name: Parts = [mark, (indent, ""), (f"{sign} ", tint), (label, "" if tint == colour else GREY)]
    fate = words.fate(run)
    if fate:
        return _right(name, [(f" {fate}", WARNING if run.status == "failed" else GREY)], width)
    if run.at_chance:
        long, short = (" ≈ at chance", CAUTION), (" ≈", CAUTION)
        name.append(long if _length([*name, long]) <= room else short)
    if count:
        bar = min(_BAR, room - _length(name) - len(count) - 1)
        name += [*_bar(run.epoch / run.epochs, bar, colour), (count, GREY)]
    return _line(name, texts, columns, width)


def _bar(share: float, length: int, colour: str) -> Parts:
    if length < _SHORTEST_BAR:
        return []
    done = round(length * min(share, 1))
    return [(" " + "━" * done, colour), ("─" * (length - done), GREY)]


def _line(name: Parts, texts: Sequence[str], columns: Sequence[Column], width: int, *, style: str = "") -> Text:
    """The name, and the texts in their columns."""
    text = _cut(name, max(width - _widths(columns), 0))
    for words_, column in zip(texts, columns, strict=True):
        cut = words_ if cell_len(words_) < column.width else f"{words_[: column.width - 2]}…"
        text.append(" " * (column.width - cell_len(cut)) + cut, style if column.key in ("n", "best") else "")
    return text


def _widths(columns: Sequence[Column]) -> int:
    return sum(column.width for column in columns)


def _right(name: Parts, message: Parts, width: int) -> Text:
    """The name, and against the right edge the message; the message gives way."""
    text = _cut(name, min(_length(name), width))
    rest = Text.assemble(*message)
    rest.truncate(max(width - text.cell_len, 0), overflow="ellipsis")
    return text.append(" " * (width - text.cell_len - rest.cell_len)).append_text(rest)


def _fit(line: Text, width: int) -> Text:
    line.truncate(width, overflow="crop", pad=True)
    return line


def _cut(parts: Parts, width: int) -> Text:
    text = Text.assemble(*parts, no_wrap=True)
    text.truncate(width, overflow="ellipsis", pad=True)
    return text


def _length(parts: Parts) -> int:
    return sum(cell_len(text) for text, _ in parts)
