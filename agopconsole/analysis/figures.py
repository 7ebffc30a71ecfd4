"""A report as a figure for a paper: curves with bands over seeds, and the differences with their intervals.

A report in; a PNG, SVG or PDF with one row a table out: on the left validation accuracy over the epochs, its mean and
deviation over the seeds of each method, on the right how far each method is from the baseline and from its twin. The
colours are those of the console. matplotlib is an extra, imported here alone and only when a figure is asked for.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agopconsole.analysis.answer import blocks, named_rows, place_of
from agopconsole.analysis.colours import GREY, WARNING, method_colour
from agopconsole.analysis.contrasts import Contrast
from agopconsole.analysis.curves import accuracy_series
from agopconsole.analysis.report import Report, ReportRow
from agopconsole.errors import RequestError
from agopconsole.store import Store

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ENDS = (".png", ".svg", ".pdf")
MOST_TABLES = 12
"""More do not fit on a page that can be read."""

_WIDTH, _ROW_HEIGHT, _LINE_HEIGHT = 11.0, 2.2, 0.3
"""Of the figure, in inches: the least height of a row, and what each method adds to it."""

_STYLE: dict[str, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "agopconsole",  # so that equal figures are equal files
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "savefig.dpi": 200,
}
_WITHOUT_DATE: dict[str, dict[str, Any]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": {}}


def check_figure(path: Path) -> None:
    """Checks that a figure can be written there, before any work is done for it.

    Raises:
        RequestError: if the name's end stands for no format, or matplotlib is not installed.
    """
    if path.suffix not in ENDS:
        raise RequestError(f"{path.name}: the name of a figure ends in one of {', '.join(ENDS)}")
    if importlib.util.find_spec("matplotlib") is None:
        raise RequestError("a figure needs matplotlib; install it, or agopconsole with its extra 'figures'")


def save_figure(store: Store, report: Report, path: Path) -> None:
    """Writes the figure of a report.

    Raises:
        RequestError: as `check_figure` does, or if there is nothing to draw, or too much.
    """
    check_figure(path)
    tables = blocks(report.rows)
    if not tables:
        raise RequestError("there is nothing to draw: no runs yet")
    if len(tables) > MOST_TABLES:
        raise RequestError(
            f"a figure of {len(tables)} tables cannot be read; choose a --study of {MOST_TABLES} at most"
        )
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        heights = [_ROW_HEIGHT + _LINE_HEIGHT * len(rows) for rows in tables]
        figure = Figure(figsize=(_WIDTH, sum(heights)), layout="constrained")
        axes = figure.subplots(len(tables), 2, squeeze=False, height_ratios=heights)
        for rows, (left, right) in zip(tables, axes, strict=True):
            _draw_curves(left, store, rows)
            _draw_differences(right, rows, report)
            left.set_title(place_of(rows, report) or rows[0].group.settings["dataset"], loc="left")
        figure.savefig(path, metadata=_WITHOUT_DATE[path.suffix])


def _draw_curves(axes: Axes, store: Store, rows: Sequence[ReportRow]) -> None:
    """Mean validation accuracy over the epochs, a band of one deviation, and a cross where a run diverged."""
    from matplotlib.ticker import MaxNLocator

    runs = [run for row in rows for run in row.group.runs]
    for line in accuracy_series(runs, store.histories([run.id for run in runs])):
        axes.plot(line.x, line.y, color=line.colour, label=line.label, linewidth=1.5, marker="o", markersize=2)
        if line.band is not None:
            low, high = ([y + sign * band for y, band in zip(line.y, line.band, strict=True)] for sign in (-1, 1))
            axes.fill_between(line.x, low, high, color=line.colour, alpha=0.2, linewidth=0)
        for x in line.lost:
            axes.plot([x], [0], color=line.colour, marker="x", clip_on=False, transform=axes.get_xaxis_transform())
    axes.set_xlabel("epoch")
    axes.set_ylabel("validation accuracy, %: mean ± deviation over seeds")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(bottom=max(0, axes.get_ylim()[0]))  # a band may reach below, an accuracy does not
    axes.legend(fontsize=7, frameon=False)


def _draw_differences(axes: Axes, rows: Sequence[ReportRow], report: Report) -> None:
    """A forest plot: each method's difference to the baseline, and under it the one to its twin."""
    for place, row in enumerate(rows):
        _draw_interval(axes, row.baseline, place - 0.12, row, marker="o", filled=True)
        _draw_interval(axes, row.twin, place + 0.12, row, marker="D", filled=False)
        if lost := row.counts["diverged"]:
            axes.annotate(
                f"{lost} diverged",
                (1, place),
                xycoords=("axes fraction", "data"),
                color=WARNING,
                ha="right",
                va="center",
                fontsize=7,
            )
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set_yticks(range(len(rows)), [name for name, _ in named_rows(rows, report.varied)])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel(f"difference in {report.measure.name.replace('_', ' ')}, {report.measure.unit}, 95 % interval")
    axes.set_title(f"● to {report.baseline}   ◇ to the isotropic twin", loc="left", fontsize=8)


def _draw_interval(
    axes: Axes, contrast: Contrast, place: float, row: ReportRow, *, marker: str, filled: bool
) -> None:
    found = contrast.difference
    if found is None or found.delta is None:
        return
    colour = method_colour(row.group.method)
    axes.errorbar(
        [found.delta],
        [place],
        xerr=None if found.ci95 is None else [found.ci95],
        color=colour,
        marker=marker,
        markersize=5,
        markerfacecolor=colour if filled else "white",
        capsize=2,
        linewidth=1.2,
    )
