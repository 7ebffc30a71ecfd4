"""The table that compares the methods, by any metric, against any baseline, with the poster beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import HorizontalScroll, VerticalScroll
from textual.widgets import Static

from agopconsole.analysis.answer import answer
from agopconsole.analysis.colours import GREY, WARNING, method_colour
from agopconsole.analysis.export import file_format
from agopconsole.analysis.measures import MEASURES
from agopconsole.analysis.report import ALL, Report, build_report
from agopconsole.analysis.report_text import answer_lines, caption, render_report, report_columns
from agopconsole.analysis.tables import Column, Look, Row, render
from agopconsole.store import Store
from agopconsole.tui.dialogs import PromptScreen
from agopconsole.tui.key_bar import KeyBar
from agopconsole.tui.snapshot import Snapshot
from agopconsole.tui.store_screen import StoreScreen
from agopconsole.tui.theme import CAUTION

_SQUARE, _TIE = "■", "\N{BRAILLE PATTERN BLANK}"
"""What stands before a method, and a blank between the two at which no line is broken."""

_STEP = 8
"""Columns by which it scrolls."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the report is asked; None leaves the choice to the report."""

    study: str | None = None
    metric: str | None = None
    baseline: str | None = None
    poster: bool = False

    def ask(self, store: Store) -> Report:
        """The report.

        Raises:
            RequestError: if the reference has no numbers of that metric.
        """
        against = "poster" if self.poster else None
        return build_report(store, study=self.study, metric=self.metric, baseline=self.baseline, against=against)


class ReportScreen(StoreScreen):
    """A report, kept up to date.

    Args:
        study: whose methods are compared at first; None or empty leaves the choice to the report.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "next_metric", "Metric", tooltip="the next metric"),
        Binding("b", "next_baseline", "Baseline", tooltip="the next method to compare with"),
        Binding("s", "next_study", "Study", tooltip="the next study, or every run"),
        Binding("p", "poster", "Poster", tooltip="the published numbers beside ours, or not"),
        Binding("e", "export", "Export", tooltip="write the table to a file: .md .csv .json .tex .txt"),
        Binding("left", "sideways(-1)", "Left", show=False, tooltip="columns of the table further left"),
        Binding("right", "sideways(1)", "Right", show=False, tooltip="columns of the table further right"),
        Binding("escape,r,backspace", "dismiss", "Back", tooltip="back to the runs"),
    ]

    def __init__(self, study: str | None = None) -> None:
        super().__init__()
        self._question = Question(study=study or None)
        self._report: Report | None = None
        self._studies: list[str] = []

    def compose(self) -> ComposeResult:
        """A line that says what is compared, the table, and in words what it shows."""
        yield Static(id="heading")
        with VerticalScroll(id="report", classes="panel"):
            yield Static(id="report-title", markup=False)
            with HorizontalScroll(id="report-sideways", can_focus=False):
                yield Static(id="report-table")
            yield Static(id="report-words", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """Names the frame; keys scroll the table."""
        self.query_one("#report").border_title = "report"
        self.query_one("#report").focus()

    def show(self, snapshot: Snapshot) -> None:
        """Has the table made anew."""
        self._studies = [study.name for study in snapshot.studies if study.name]
        self._ask(self._question)

    def on_resize(self) -> None:
        """Fits the table to the new width."""
        self.call_after_refresh(self._draw)

    def action_next_metric(self) -> None:
        """Compares by the next metric."""
        now = self._report.measure.name if self._report else None
        self._ask(replace(self._question, metric=_after(now, list(MEASURES)), poster=False))

    def action_next_baseline(self) -> None:
        """Compares with the next method."""
        if self._report is not None:
            methods = list(dict.fromkeys(row.group.method for row in self._report.rows))
            self._ask(replace(self._question, baseline=_after(self._report.baseline, methods)))

    def action_next_study(self) -> None:
        """Compares the methods of the next study."""
        now = (self._report.study or ALL) if self._report else None
        self._ask(Question(study=_after(now, [*self._studies, ALL]), metric=self._question.metric))

    def action_poster(self) -> None:
        """Puts the published numbers beside ours, or takes them away."""
        poster = not self._question.poster
        metric = "best_val_accuracy" if poster else self._question.metric
        self._ask(replace(self._question, poster=poster, metric=metric))

    def action_sideways(self, by: int) -> None:
        """Shows other columns of the table, where there is no room for all."""
        table = self.query_one("#report-sideways")
        table.scroll_relative(x=by * _STEP, animate=False)

    def action_export(self) -> None:
        """Writes the table to a file that the user names."""
        report = self._report
        if report is None:
            return

        def named(name: str | None) -> None:
            if name:
                path = Path(name).expanduser()
                self._program.errands.do(lambda _: export_report(report, path), self.notify)

        usual = f"{report.study or 'report'}.md"
        self._program.push_screen(PromptScreen("Write the report to (.md, .csv, .json, .tex, .txt):", usual), named)

    def _ask(self, question: Question) -> None:
        def answered(report: Report) -> None:
            self._question, self._report = question, report
            self._draw()

        self._program.errands.do(question.ask, answered)

    def _draw(self) -> None:
        report = self._report
        if report is None or not self.is_mounted:
            return
        heading = Text.assemble(" ", (report.study or "every run", "bold"), ("   by ", GREY), report.measure.name)
        heading.append("   against ", GREY).append(report.baseline or "nothing")
        if self._question.poster:
            heading.append("   beside the poster", GREY)
        self.query_one("#heading", Static).update(heading)
        width = self.query_one("#report").content_region.width - 1  # the last column may be a scroll bar's
        title, *notes = caption(report)
        look = Look(width=width, colour=not self.app.no_color, whole_words=True)
        table = coloured(render(report.row_dicts(), marked(report_columns(report)), "table", look), report)
        told = answer_lines(answer(report), Look(width=width))
        self.query_one("#report-title", Static).update(title)
        shown = self.query_one("#report-table", Static)
        shown.update(table)
        shown.styles.width = max(line.cell_len for line in table.split("\n"))
        self.query_one("#report-words", Static).update("\n\n".join([*told, "\n".join(notes)]))


def marked(columns: Sequence[Column]) -> list[Column]:
    """The columns, with a square before every method; a line is broken neither after that nor within a warning."""
    marks = {column.key: column for column in columns}
    for key, column in marks.items():
        if key == "init":
            marks[key] = replace(column, title=f"  {column.title}", text=lambda row: f"{_SQUARE}{_TIE}{row['init']}")
        elif column.title == "beware":
            marks[key] = replace(column, text=partial(_tied, column), style=None)
    return list(marks.values())


def _tied(column: Column, row: Row) -> str:
    return ", ".join(part.replace(" ", _TIE) for part in column.cell(row).split(", "))


def coloured(table: str, report: Report) -> Text:
    """The table with each square in the colour of its method, and in colour what a reader must know of."""
    text = Text.from_ansi(table)
    text.plain = text.plain.replace(_TIE, " ")
    text.highlight_regex(r"\d+ (diverged|failed|without a value)", WARNING)
    text.highlight_regex(r"\d+ (at chance|unfinished)", CAUTION)
    for square, row in zip(re.finditer(_SQUARE, text.plain), report.rows, strict=True):
        text.stylize(method_colour(row.group.method), *square.span())
    return text


def export_report(report: Report, path: Path) -> str:
    """Writes a report to a file; where it is, in words.

    Raises:
        RequestError: if the name's end stands for no format.
    """
    path.write_text(f"{render_report(report, file_format(path))}\n", encoding="utf-8")
    return f"written to {path}"


def _after(now: str | None, among: Sequence[str]) -> str | None:
    if not among:
        return None
    return among[(among.index(now) + 1) % len(among)] if now in among else among[0]
