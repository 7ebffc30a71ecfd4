"""A report as a figure for a paper: curves with bands over seeds, and the differences with their intervals.

A report in; a PNG, SVG or PDF with one row a table out: on the left validation accuracy over the epochs, its mean
and deviation over the seeds of each method, on the right how far each method is from the baseline and from its
twin. There a piece of each curve stands beside the method's name, so that no legend lies over the curves. The
colours are those of the console; dashes and markers tell apart what is alike in them. matplotlib is an extra,
imported here alone and only when a figure is asked for.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agopconsole.analysis.answer import blocks, named_rows, place_of
from agopconsole.analysis.colours import GREY, WARNING, method_colour
from agopconsole.analysis.contrasts import Contrast
from agopconsole.analysis.curves import accuracy_series
from agopconsole.analysis.line_styles import LineStyle, line_styles
from agopconsole.analysis.report import Report, ReportRow
from agopconsole.analysis.series import Series
from agopconsole.errors import RequestError
from agopconsole.store import Store

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ENDS = (".png", ".svg", ".pdf")
MOST_TABLES = 12
"""More do not fit on a page that can be read."""

_WIDTH, _ROW_HEIGHT, _LINE_HEIGHT = 12.0, 2.2, 0.3
"""Of the figure, in inches: the least height of a row, and what each method adds to it."""

_WIDTHS = (1.3, 1.0)
"""Of the curves and of the differences, in relation."""

_SAMPLE = 34.0
"""Of a curve, beside the name of its method, in points."""

_MARKS = 10
"""A curve has about so many marks, however many its epochs."""

_STYLE: dict[str, Any] = {
    "font.size": 9,
    "text.parse_math": False,  # the dollars in a path are no formula
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

    styles = line_styles(name for rows in tables for name, _ in named_rows(rows, report.varied))
    with rc_context(_STYLE):
        heights = [_ROW_HEIGHT + _LINE_HEIGHT * len(rows) for rows in tables]
        figure = Figure(figsize=(_WIDTH, sum(heights)), layout="constrained")
        axes = figure.subplots(len(tables), 2, squeeze=False, height_ratios=heights, width_ratios=_WIDTHS)
        for rows, (left, right) in zip(tables, axes, strict=True):
            entries = _entries(store, rows, report, styles)
            _draw_curves(left, entries)
            _draw_differences(right, entries, report)
            left.set_title(place_of(rows, report) or rows[0].group.settings["dataset"], loc="left")
            left.set_title("drawn as beside the names", loc="right", fontsize=8)
        figure.savefig(path, metadata=_WITHOUT_DATE[path.suffix])


@dataclass(frozen=True, slots=True)
class _Entry:
    """One method of a table.

    Attributes:
        name: of it, as in the report.
        row: of the report.
        curve: its mean over the seeds; None where no run has got so far.
        style: of the curve.
    """

    name: str
    row: ReportRow
    curve: Series | None
    style: LineStyle

    @property
    def label(self) -> str:
        """The name, and of how many seeds the curve is."""
        told = self.curve.label.removeprefix(self.row.group.method) if self.curve else ""
        return f"{self.name}{told}"

    @property
    def look(self) -> dict[str, Any]:
        """How its curve is drawn, to matplotlib."""
        return {
            "color": method_colour(self.row.group.method),
            "linestyle": (0, self.style.dashes) if self.style.dashes else "solid",
            "marker": self.style.marker,
            "linewidth": 1.4,
            "markersize": 4.5,
        }


def _entries(
    store: Store, rows: Sequence[ReportRow], report: Report, styles: Mapping[str, LineStyle]
) -> list[_Entry]:
    histories = store.histories([run.id for row in rows for run in row.group.runs])
    return [
        _Entry(name, row, next(iter(accuracy_series(row.group.runs, histories)), None), styles[name])
        for name, row in named_rows(rows, report.varied)
    ]


def _draw_curves(axes: Axes, entries: Sequence[_Entry]) -> None:
    """Mean validation accuracy over the epochs, a band of one deviation, and a cross where a run diverged."""
    from matplotlib.ticker import MaxNLocator

    for place, entry in enumerate(entries):
        line, look = entry.curve, entry.look
        if line is None:
            continue
        every = max(1, len(line.x) // _MARKS)
        axes.plot(line.x, line.y, **look, markevery=(place % every, every))  # not all at the same epochs
        if line.band is not None:
            low, high = ([y + sign * band for y, band in zip(line.y, line.band, strict=True)] for sign in (-1, 1))
            axes.fill_between(line.x, low, high, color=look["color"], alpha=0.12, linewidth=0)
        for x in line.lost:
            axes.plot([x], [0], color=look["color"], marker="x", clip_on=False, transform=axes.get_xaxis_transform())
    axes.set_xlabel("epoch")
    axes.set_ylabel("validation accuracy, %\nmean ± deviation over seeds")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(bottom=max(0, axes.get_ylim()[0]))  # a band may reach below, an accuracy does not


def _draw_differences(axes: Axes, entries: Sequence[_Entry], report: Report) -> None:
    """A forest plot: each method's difference to the baseline, under it the one to its twin; its curve beside it."""
    for place, entry in enumerate(entries):
        row = entry.row
        if entry.curve is not None:
            _draw_sample(axes, entry, place)
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
    axes.set_yticks(range(len(entries)), [entry.label for entry in entries])
    axes.tick_params(axis="y", pad=_SAMPLE + 6, length=0)
    axes.set_ylim(len(entries) - 0.5, -0.5)
    axes.set_xlabel(f"difference in {report.measure.name.replace('_', ' ')}, {report.measure.unit}, 95 % interval")
    axes.set_title(f"● to {report.baseline}   ◇ to the isotropic twin", loc="left", fontsize=8)


def _draw_sample(axes: Axes, entry: _Entry, place: int) -> None:
    """A piece of the method's curve, between its name and the axis."""
    from matplotlib.transforms import Affine2D, ScaledTranslation, blended_transform_factory

    # x in points from the left edge of the axes, whose width is not known before all names are written.
    corner: Any = axes.transAxes  # which is declared as less than it is
    points = Affine2D().scale(1 / 72) + axes.figure.dpi_scale_trans + ScaledTranslation(0, 0, corner)
    axes.plot(
        [-_SAMPLE - 2, -_SAMPLE / 2 - 2, -2],
        [place] * 3,
        **entry.look,
        markevery=[1],
        clip_on=False,
        transform=blended_transform_factory(points, axes.transData),
    )


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
