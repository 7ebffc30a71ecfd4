"""The main screen: runs to the left; accuracy, loss gap and start of those that are chosen to the right."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.events import Resize
from textual.widgets import Footer, Static

from agopconsole.analysis.charts import Series, accuracy_series, loss_gap_series
from agopconsole.analysis.curves import Histories
from agopconsole.store import RunRecord
from agopconsole.tui.chart_panel import ChartPanel
from agopconsole.tui.messages import ChoiceChanged
from agopconsole.tui.rows import RunRow
from agopconsole.tui.run_table import RunTable
from agopconsole.tui.snapshot import Snapshot, Wanted
from agopconsole.tui.start_panel import StartPanel
from agopconsole.tui.status_bar import StatusBar
from agopconsole.tui.store_screen import StoreScreen

_PANELS = ("accuracy", "gap", "start")
_ALL_PANELS = (100, 36)
"""Columns and lines that it takes to stack all panels beside the table."""

_SIDE_BY_SIDE = 160
"""Columns from which the charts stand side by side, so that few lines will do."""

_EMPTY = """\
There are no runs in {path} yet.

Queue some, and start a worker that works through them:

  agopconsole study configs/quickstart.toml --queue
  agopconsole worker

They show here as soon as they are queued."""


class MainScreen(StoreScreen):
    """Table and charts.

    Args:
        store_path: the store, for its name.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "next_panel", "Chart", priority=True)]

    def __init__(self, store_path: Path) -> None:
        super().__init__()
        self._path = store_path
        self._snapshot: Snapshot | None = None
        self._panel = 0

    def compose(self) -> ComposeResult:
        """Lays out the widgets; which panel is shown where there is room for one goes by a class."""
        yield StatusBar(self._path, id="status")
        with Horizontal(id="body"):
            yield RunTable(id="runs")
            with Vertical(id="panels"):
                with Container(id="charts"):
                    yield ChartPanel("validation accuracy, %", id="accuracy")
                    yield ChartPanel(
                        "loss gap: validation - train", id="gap", zero_line=True, notes=("underfit", "overfit")
                    )
                yield StartPanel(id="start")
        yield Static(id="empty", markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Begins with the table, which names itself in its frame."""
        self.query_one(RunTable).border_title = "runs"
        self.query_one(RunTable).focus()
        self._show_panel(0)

    # What goes in and out

    def wanted(self) -> Wanted:
        """The epochs of the chosen runs, and the start of the first of them that may have one."""
        start = self._start_run()
        ids = frozenset(run.id for row in self.query_one(RunTable).chosen() for run in row.runs)
        return Wanted(ids, start.id if start else None)

    def show(self, snapshot: Snapshot) -> None:
        """Shows the runs, and the charts of those that are chosen."""
        self._snapshot = snapshot
        self._say(None if snapshot.runs else _EMPTY.format(path=self._path))
        self.query_one(StatusBar).show(snapshot)
        self.query_one(RunTable).show(snapshot)
        self._show_choice()

    def show_trouble(self, text: str) -> None:
        """Says it in the status line, and at length if there is nothing else to show."""
        self.query_one(StatusBar).show_trouble(text)
        if self._snapshot is None:
            self._say(text)

    def on_choice_changed(self, message: ChoiceChanged) -> None:
        """Draws what has been read already; the app has the rest read."""
        del message
        self._show_choice()

    # Panels

    def action_next_panel(self) -> None:
        """Shows the next panel, where there is room for one only."""
        self._show_panel((self._panel + 1) % len(_PANELS))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where all panels are in sight, there is no next one."""
        del parameters
        return action != "next_panel" or (self.has_class("-single") and not self.has_class("-empty"))

    def on_resize(self, event: Resize) -> None:
        """Shows one panel at a time where there is no room for all of them."""
        width, height = event.size
        self.set_class(width < _ALL_PANELS[0] or (width < _SIDE_BY_SIDE and height < _ALL_PANELS[1]), "-single")
        self.refresh_bindings()

    def _say(self, text: str | None) -> None:
        """Puts words in place of table and charts, or takes them away."""
        words = self.query_one("#empty", Static)
        if text != (words.content or None):
            words.update(text or "")
            self.set_class(text is not None, "-empty")
            self.refresh_bindings()

    def _show_panel(self, panel: int) -> None:
        self._panel = panel
        for i, name in enumerate(_PANELS):
            self.set_class(i == panel, f"-show-{name}")

    def _show_choice(self) -> None:
        if self._snapshot is None:
            return
        chosen = {run.id for row in self.query_one(RunTable).chosen() for run in row.runs}
        if chosen <= self._snapshot.histories.keys():
            accuracy, gap = self._series(self._snapshot.histories)
            self.query_one("#accuracy", ChartPanel).show(accuracy)
            self.query_one("#gap", ChartPanel).show(gap)
        run = self._start_run()
        if run is None or run.id == self._snapshot.wanted.start:
            self.query_one(StartPanel).show(run, self._snapshot.start)

    def _series(self, histories: Histories) -> tuple[list[Series], list[Series]]:
        """Accuracy and loss gap: a line for each method among the chosen rows, and one for each run that is a row."""
        rows = self.query_one(RunTable).chosen()
        single = [row.run for row in rows if isinstance(row, RunRow)]
        repeats = list({run.id: run for row in rows if not isinstance(row, RunRow) for run in row.runs}.values())
        accuracy, gap = (
            [*series_of(repeats, histories), *series_of(single, histories, by_method=False)]
            for series_of in (accuracy_series, loss_gap_series)
        )
        return accuracy, gap

    def _start_run(self) -> RunRecord | None:
        """The first run under the cursor that a worker has begun."""
        row = self.query_one(RunTable).current()
        return next((run for run in row.runs if run.started_at), None) if row else None
