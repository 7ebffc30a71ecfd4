"""One run in full: what was asked for, how it stands, its curve, its epochs and its log."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import DataTable, Footer, Static

from agopconsole.analysis.charts import accuracy_series
from agopconsole.analysis.colours import GREY, WARNING, method_colour
from agopconsole.metrics import EpochMetrics
from agopconsole.store import LogLine, RunRecord
from agopconsole.tui import words
from agopconsole.tui.chart_panel import ChartPanel
from agopconsole.tui.snapshot import Snapshot, Wanted
from agopconsole.tui.store_screen import StoreScreen

_COLUMNS = ("epoch", "val %", "train %", "gap", "val loss", "train loss", "images/s")


class RunScreen(StoreScreen):
    """The details of the run of that id, kept up to date."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,backspace", "dismiss", "Back")]

    def __init__(self, run_id: int) -> None:
        super().__init__()
        self._run_id = run_id

    def compose(self) -> ComposeResult:
        """Lays out the facts to the left, the numbers to the right."""
        yield Static(id="heading")
        with Horizontal(id="run-body"):
            with VerticalScroll(id="facts", classes="panel"):
                yield Static(id="spec")
            with Vertical(id="run-numbers"):
                yield ChartPanel("validation accuracy, %", id="run-accuracy")
                yield DataTable(id="epochs", classes="panel", cursor_type="row")
                with VerticalScroll(id="log", classes="panel"):
                    yield Static(id="log-lines")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Names the parts."""
        self.query_one("#facts").border_title = "spec"
        self.query_one("#log").border_title = "log"
        table = self._epochs
        table.border_title = "epochs"
        for name in _COLUMNS:
            table.add_column(Text(name, justify="right"), key=name, width=max(len(name), 6))
        table.focus()

    @property
    def _epochs(self) -> DataTable[Text]:
        return self.query_one("#epochs", DataTable)

    def wanted(self) -> Wanted:
        """The epochs and the log of the run."""
        return Wanted(frozenset({self._run_id}), log=self._run_id)

    def show(self, snapshot: Snapshot) -> None:
        """Shows how the run stands; a run that was removed says so."""
        run = snapshot.runs.get(self._run_id)
        if run is None:
            self.query_one("#heading", Static).update(Text(f" #{self._run_id} is no longer in the store", WARNING))
            return
        self.query_one("#heading", Static).update(_heading(run))
        self.query_one("#spec", Static).update(_facts(run))
        history = snapshot.histories.get(run.id, ())
        self.query_one(ChartPanel).show(accuracy_series([run], {run.id: history}, by_method=False))
        self._show_epochs(history)
        if snapshot.wanted.log == run.id:
            self.query_one("#log-lines", Static).update(_log(snapshot.log))

    def show_trouble(self, text: str) -> None:
        """Says it in place of the heading."""
        self.query_one("#heading", Static).update(Text(f" ✗ {text}", WARNING))

    def _show_epochs(self, history: tuple[EpochMetrics, ...]) -> None:
        """Adds the epochs that are new; those that were shown before do not change."""
        table = self._epochs
        if table.row_count > len(history):
            table.clear()
        at_the_end = table.cursor_row >= table.row_count - 1
        for epoch in history[table.row_count :]:
            cells = (
                str(epoch.epoch),
                words.accuracy(epoch.val_accuracy),
                words.accuracy(epoch.fixed_train_accuracy),
                words.signed(epoch.loss_gap),
                f"{epoch.val_loss:.4f}",
                f"{epoch.fixed_train_loss:.4f}",
                f"{epoch.images_per_second:,.0f}",
            )
            table.add_row(*(Text(cell, justify="right") for cell in cells))
        if at_the_end:
            table.move_cursor(row=table.row_count - 1)


def _heading(run: RunRecord) -> Text:
    sign = words.STATE_SIGNS[run.status]
    state = f"{run.status}, epoch {run.epoch}/{run.epochs}"
    text = Text.assemble(" ", (f"#{run.id}", "bold"), " ", ("■ ", method_colour(run.method)), (run.name, "bold"))
    text.append(f"   {sign} {state}", WARNING if run.status == "failed" else GREY)
    if run.best_val_accuracy is not None:
        text.append(f"   best {run.best_val_accuracy:.1f} % in epoch {run.best_epoch}", GREY)
    if run.flags:
        text.append(f"   {', '.join(run.flags).replace('_', ' ')}", WARNING)
    return text


def _facts(run: RunRecord) -> Text:
    """The error first, if there is one; then what ran where; then every field of the spec."""
    text = Text()
    if run.error:
        text.append(f"{run.error}\n\n", WARNING)
    provenance = {name: value for name, value in run.provenance().items() if value is not None}
    times = {
        "queued": words.moment(run.created_at),
        "started": words.moment(run.started_at),
        "ended": words.moment(run.ended_at),
        "attempts": run.attempts,
    }
    asked = {name: getattr(run.request, name) for name in run.request.__slots__}
    for facts in (times, provenance, asked):
        width = max((len(name) for name in facts), default=0)
        for name, value in facts.items():
            text.append(f"{name:<{width}}  ", GREY).append(f"{words.NO_VALUE if value in (None, '') else value}\n")
        text.append("\n")
    return text


def _log(lines: tuple[LogLine, ...]) -> Text:
    if not lines:
        return Text("nothing logged yet", GREY)
    text = Text()
    for line in lines:
        text.append(f"{line.time[11:19]} ", GREY)
        text.append(f"{line.message}\n", WARNING if line.level == "error" else "")
    return text
