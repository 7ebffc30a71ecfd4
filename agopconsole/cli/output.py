"""Standard output for results, standard error for everything else."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from agopconsole.analysis.tables import Column, Look, Row, render, to_json
from agopconsole.wording import printable

STANDARD_OUTPUT = "-"
"""The name of a file that stands for it."""


def out_look() -> Look:
    """What standard output can show."""
    return Look.of(sys.stdout)


def print_table(rows: Sequence[Row], columns: Sequence[Column], output_format: str) -> None:
    """A table on standard output, in the format asked for."""
    print_text(render(rows, columns, output_format, out_look()))


def print_json(value: Any) -> None:
    """A value as JSON on standard output."""
    print_text(to_json(value, out_look()))


def print_text(text: str) -> None:
    """A result on standard output."""
    print(text)  # noqa: T201


def note(text: str) -> None:
    """A line for the person at the terminal."""
    print(Look.of(sys.stderr).fit(printable(text)), file=sys.stderr, flush=True)  # noqa: T201
