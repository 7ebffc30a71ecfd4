"""One way to print any table: rows of plain values in; text for a reader, or JSON, CSV, Markdown or LaTeX, out.

The formats for a reader (table, Markdown, LaTeX) show the columns asked for, each as its own text; the formats for a
program (JSON, CSV) give every key of every row, unrounded.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TextIO, get_args

from agopconsole.errors import unknown_choice
from agopconsole.wording import printable

Format = Literal["table", "json", "csv", "markdown", "latex"]
Row = Mapping[str, Any]
FORMATS: tuple[str, ...] = get_args(Format)

_NO_LIMIT = 100_000
_NARROWEST = 10
_ASCII = str.maketrans({"±": "+-", "Δ": "delta", "²": "^2", "…": "...", "·": "."})
_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "±": r"$\pm$",
        "Δ": r"$\Delta$",
        "²": r"$^2$",
        "|": r"\textbar{}",
        "[": "{[}",
        "\n": " ",
        **{character: f"\\{character}" for character in "&%$#_{}"},
    }
)
_MARKDOWN = str.maketrans({"\n": " ", **{character: f"\\{character}" for character in "\\|*`<"}})


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table for a reader.

    Attributes:
        key: of the row's value.
        title: its heading.
        align: `left` for words, `right` for numbers.
        text: what a row shows here; without it the value of `key` in words.
        style: the rich style of a row's cell here, where there is colour.
    """

    key: str
    title: str
    align: Literal["left", "right"] = "left"
    text: Callable[[Row], str] | None = None
    style: Callable[[Row], str] | None = None

    def cell(self, row: Row) -> str:
        """What `row` shows in this column."""
        return printable(self.text(row) if self.text else shown(row.get(self.key)))


@dataclass(frozen=True, slots=True)
class Look:
    """What the place where a table appears can show.

    Attributes:
        width: characters a line; None for as many as the table needs, which is what a pipe or a file gets.
        colour: whether escape sequences are understood.
        unicode: whether anything but ASCII is.
        whole_words: whether the table may be wider than that rather than break a word, as where it can be scrolled.
    """

    width: int | None = None
    colour: bool = False
    unicode: bool = True
    whole_words: bool = False

    @classmethod
    def of(cls, stream: TextIO, environment: Mapping[str, str] = os.environ) -> Look:
        """What `stream` can show, going by its encoding, `NO_COLOR`, `TERM`, and whether it is a terminal."""
        terminal = stream.isatty()
        dumb = environment.get("TERM", "") in ("dumb", "unknown")
        encoding = (stream.encoding or "ascii").lower().replace("-", "").replace("_", "")
        return cls(
            width=_terminal_width(stream, environment) if terminal else None,
            colour=terminal and not dumb and not environment.get("NO_COLOR"),
            unicode=encoding.startswith("utf"),
        )

    def fit(self, text: str) -> str:
        """`text` with whatever the place cannot show written otherwise."""
        return text if self.unicode else text.translate(_ASCII).encode("ascii", "replace").decode("ascii")


def _terminal_width(stream: TextIO, environment: Mapping[str, str]) -> int:
    if environment.get("COLUMNS", "").isdecimal():
        return max(1, int(environment["COLUMNS"]))
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def render(
    rows: Sequence[Row], columns: Sequence[Column], output_format: str = "table", look: Look | None = None
) -> str:
    """The table of `rows` in one of `FORMATS`, without a newline at its end.

    Raises:
        RequestError: if the format is unknown.
    """
    look = look or Look()
    if output_format == "json":
        return to_json(rows, look)
    if output_format == "csv":
        return look.fit(_csv(rows, columns))
    if output_format == "markdown":
        return look.fit(_markdown(rows, columns))
    if output_format == "latex":
        return look.fit(_latex(rows, columns))
    if output_format == "table":
        return _table(rows, columns, look)
    raise unknown_choice("format", output_format, FORMATS)


def to_json(value: Any, look: Look | None = None) -> str:
    """`value` as JSON that any reader accepts: numbers that are not finite become null."""
    unicode = look is None or look.unicode
    return json.dumps(_finite(value), indent=2, allow_nan=False, ensure_ascii=not unicode, default=str)


def shown(value: Any) -> str:
    """A value in words: nothing for None and NaN, floats to four digits, lists with commas."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(shown, value))
    return str(value)


def in_markdown(text: str) -> str:
    """`text` on one line, with whatever means something to Markdown taken literally."""
    return text.translate(_MARKDOWN)


def in_latex(text: str) -> str:
    """`text` on one line, with whatever means something to LaTeX taken literally."""
    return text.translate(_LATEX)


def number(key: str, title: str, digits: int = 2) -> Column:
    """A column of numbers with `digits` digits after the point."""
    return Column(key, title, "right", lambda row: fixed(row.get(key), digits))


def fixed(value: float | None, digits: int, *, sign: bool = False) -> str:
    """A number with `digits` digits after the point; nothing for None and NaN."""
    if value is None or math.isnan(value):
        return ""
    return f"{value:{'+' if sign else ''}.{digits}f}"


def plus_minus(value: float | None, spread: float | None, digits: int, *, sign: bool = False) -> str:
    """A number and what it may be off by; without a spread the number alone."""
    text, error = fixed(value, digits, sign=sign), fixed(spread, digits)
    return f"{text} ± {error}" if text and error else text


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _csv(rows: Sequence[Row], columns: Sequence[Column]) -> str:
    keys = list(dict.fromkeys(key for row in rows for key in row)) or [column.key for column in columns]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(keys)
    writer.writerows([_csv_cell(row.get(key)) for key in keys] for row in rows)
    return out.getvalue().rstrip("\n")


def _csv_cell(value: Any) -> Any:
    value = _finite(value)
    if isinstance(value, list):
        return " ".join(map(str, value))
    return json.dumps(value) if isinstance(value, dict) else value


def _markdown(rows: Sequence[Row], columns: Sequence[Column]) -> str:
    lines = [
        [in_markdown(column.title) for column in columns],
        ["---:" if column.align == "right" else "---" for column in columns],
        *([in_markdown(column.cell(row).strip()) for column in columns] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _latex(rows: Sequence[Row], columns: Sequence[Column]) -> str:
    def line(cells: Sequence[str]) -> str:
        return " & ".join(in_latex(cell.strip()) for cell in cells) + r" \\"

    return "\n".join(
        [
            r"\begin{tabular}{" + "".join(column.align[0] for column in columns) + "}  % needs booktabs",
            r"\toprule",
            line([column.title for column in columns]),
            r"\midrule",
            *(line([column.cell(row) for column in columns]) for row in rows),
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def _table(rows: Sequence[Row], columns: Sequence[Column], look: Look) -> str:
    from rich import box  # a tenth of a second that the formats for a program do without
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD if look.unicode else box.ASCII, header_style="bold")
    for column in columns:
        title, cells = look.fit(column.title), [look.fit(column.cell(row)) for row in rows]
        widest, whole = max(map(len, [title, *cells])), column.align == "right"
        narrowest = max(len(word) for text in (title, *cells) for word in text.split(" "))
        table.add_column(
            Text(title),
            justify=column.align,
            overflow="fold",
            no_wrap=whole,
            min_width=widest if whole else narrowest if look.whole_words else min(widest, _NARROWEST),
        )
    for row in rows:
        table.add_row(*(Text(look.fit(c.cell(row)), c.style(row) if c.style else "") for c in columns))
    console = Console(
        file=io.StringIO(),
        width=_NO_LIMIT,
        force_terminal=look.colour,
        color_system="standard" if look.colour else None,
        no_color=not look.colour,
        highlight=False,
        legacy_windows=False,
    )
    if look.width:
        # In a terminal too narrow for the numbers the lines wrap: a cropped number would be a wrong one.
        console.width = max(look.width, 1 + sum(3 + (column.min_width or 0) for column in table.columns))
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines() if line.strip())
