"""The columns of the table of runs: what each shows of a method and of a run, and what it sorts them by."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

from agopconsole.analysis.measures import column as values_of
from agopconsole.tui import words
from agopconsole.tui.rows import MethodRow, Row, RunRow

NARROWEST_NAME = 19
"""Characters that the name of a row keeps; columns that leave it fewer are not shown."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        key: its name in the user's choice of columns.
        title: its heading.
        width: in characters, with the space before it.
        about: what it shows, in words.
        text: what a row shows in it.
        value: what rows are sorted by; None goes last.
        where: the order of rows that it is for.
    """

    key: str
    title: str
    width: int
    about: str
    text: Callable[[Row], str]
    value: Callable[[Row], Any]
    where: Literal["both", "methods", "runs"] = "both"


@dataclass(frozen=True, slots=True)
class Sort:
    """By which column rows that stand side by side are sorted."""

    key: str
    descending: bool = False


def _number(name: str, word: Callable[[float | None], str]) -> tuple[Callable[[Row], str], Callable[[Row], Any]]:
    """Text and value of a number of a run; of a method its mean over the seeds that are done."""

    def value(row: Row) -> float | None:
        if isinstance(row, RunRow):
            found = getattr(row.run, name)
            return None if found is None or not math.isfinite(found) else float(found)
        means = values_of(row.runs, name).values()
        return fmean(means) if means else None

    return lambda row: word(value(row)), value


def _field(name: str) -> tuple[Callable[[Row], str], Callable[[Row], Any]]:
    """Text and value of a field of the spec; of a method what its runs have in common."""

    def value(row: Row) -> Any:
        found = {getattr(run, name) for run in row.runs}
        return found.pop() if len(found) == 1 else None

    def text(row: Row) -> str:
        found = value(row)
        return "" if found is None else f"{found:g}" if isinstance(found, float) else str(found)

    return text, value


def _epoch(row: Row) -> str:
    done, asked = sum(run.epoch for run in row.runs), sum(run.epochs for run in row.runs)
    return f"{done}/{asked}" if isinstance(row, RunRow) else f"{done / max(asked, 1):.0%}"


def _share(row: Row) -> float:
    return sum(run.epoch for run in row.runs) / max(sum(run.epochs for run in row.runs), 1)


def _eta(row: Row) -> str:
    return words.duration(row.eta) if row.eta is not None else ""


def _seeds(row: Row) -> Any:
    return row.best.n if isinstance(row, MethodRow) else None


def _spread(row: Row) -> Any:
    return row.best.std if isinstance(row, MethodRow) else None


COLUMNS: dict[str, Column] = {
    column.key: column
    for column in (
        Column("n", "n", 3, "seeds done", lambda row: str(_seeds(row) or ""), _seeds, "methods"),
        Column("best", "best", 6, "best validation accuracy, %", *_number("best_val_accuracy", words.accuracy)),
        Column(
            "std",
            "±",
            5,
            "its deviation over seeds",
            lambda row: words.accuracy(_spread(row)) if isinstance(row, MethodRow) else "",
            _spread,
            "methods",
        ),
        Column("gap", "gap", 7, "validation less training loss", *_number("loss_gap", words.signed)),
        Column("eta", "left", 9, "time until it is done", _eta, lambda row: row.eta),
        Column("dataset", "data set", 14, "data set", *_field("dataset"), "runs"),
        Column("seed", "seed", 5, "seed", *_field("seed"), "runs"),
        Column("epoch", "epoch", 8, "epochs done", _epoch, _share),
        Column("test", "test", 6, "test accuracy, %", *_number("test_accuracy", words.accuracy)),
        Column(
            "final",
            "last",
            6,
            "validation accuracy after the last epoch, %",
            *_number("final_val_accuracy", words.accuracy),
        ),
        Column("status", "state", 10, "state", *_field("status")),
        Column("model", "model", 10, "network", *_field("model"), "runs"),
        Column("lr", "lr", 8, "learning rate", *_field("lr")),
        Column("priority", "prio", 5, "priority in the queue", *_field("priority")),
    )
}
USUAL: tuple[str, ...] = ("n", "best", "std", "gap", "eta", "dataset", "seed")
"""The columns that are shown until the user says otherwise, the ones to keep longest first."""


def fitting(keys: Sequence[str], width: int, *, grouped: bool) -> list[Column]:
    """Those of the columns `keys`, in their order, that leave the name of a row its place in `width` characters."""
    room = width - NARROWEST_NAME
    shown = []
    for column in (COLUMNS[key] for key in keys if key in COLUMNS):
        if column.where == ("runs" if grouped else "methods"):
            continue
        if column.width > room:
            break
        room -= column.width
        shown.append(column)
    return shown


def sorter(sort: Sort) -> Callable[[Row], tuple[bool, Any]]:
    """The key of `sorted` for rows; what has no value goes last either way, by `descending` of `sort`."""
    value = COLUMNS[sort.key].value

    def key(row: Row) -> tuple[bool, Any]:
        found = value(row)
        return (found is None) != sort.descending, 0 if found is None else found

    return key
