"""The main screen: runs to the left, charts and start of those that are chosen to the right."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.widgets import Static

from agopconsole.queue.actions import toggle_queue
from agopconsole.store import RunRecord
from agopconsole.tui.chart_grid import MOST_STEP_RUNS, ChartGrid
from agopconsole.tui.charted_screen import ChartedScreen
from agopconsole.tui.columns_screen import ColumnsScreen
from agopconsole.tui.device_bar import DeviceBar
from agopconsole.tui.devices import Device
from agopconsole.tui.drawing import Drawing
from agopconsole.tui.filter_bar import FilterBar
from agopconsole.tui.key_bar import KeyBar
from agopconsole.tui.messages import ChoiceChanged
from agopconsole.tui.rows import RunRow
from agopconsole.tui.run_actions_screen import RunActionsScreen
from agopconsole.tui.run_table import RunTable
from agopconsole.tui.snapshot import Snapshot, Wanted
from agopconsole.tui.start_panel import StartPanel
from agopconsole.tui.status_bar import StatusBar

_ROOM_FOR_START = (100, 36)
"""Columns and lines that it takes to show the start below the charts."""

_WIDE = 160
"""Columns from which charts stand side by side, so that few lines will do."""

_ROOM_FOR_CHARTS = 72
"""Columns that it takes to show a chart beside the table."""

_EMPTY = """\
There are no runs in {path} yet.

Press n to set up a run or a study, or from a shell:

  agopconsole study quickstart --queue
  agopconsole worker

Runs show here as soon as they are queued. ? lists the keys."""


class MainScreen(RunActionsScreen, ChartedScreen):
    """Table and charts.

    Args:
        store_path: the store, for its name.
    """

    AUTO_FOCUS = "RunTable"  # and not the field of the filter, which is there unseen
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "New", tooltip="new run or study: a form, checked as one types"),
        Binding(
            "slash", "filter", "Filter", key_display="/", tooltip="filter: init:kaiming_* status:running seed:<3"
        ),
        Binding("w", "pause_queue", "Pause the queue", show=False, tooltip="pause the queue, or have it go on"),
        Binding("v", "columns", "Columns", show=False, tooltip="choose columns and their order"),
        Binding("r", "report", "Report", tooltip="the table that compares the methods"),
    ]

    def __init__(self, store_path: Path) -> None:
        super().__init__()
        self._path = store_path
        self._snapshot: Snapshot | None = None

    def compose(self) -> ComposeResult:
        """Lays out the widgets."""
        yield StatusBar(self._path, id="status")
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield FilterBar(id="filter-bar")
                yield RunTable(id="runs")
            with Vertical(id="panels"):
                yield ChartGrid(id="charts")
                yield StartPanel(id="start")
        yield Static(id="empty", markup=False)
        yield DeviceBar(id="devices")
        yield KeyBar()

    def on_mount(self) -> None:
        """Begins with the table, which names itself in its frame."""
        table = self.query_one(RunTable)
        table.border_title = "runs"
        table.show_columns(self._program.preferences.columns)
        table.grouped = self._program.preferences.grouped
        table.focus()

    # What goes in and out

    def wanted(self) -> Wanted:
        """The epochs of the chosen runs, their steps if drawn, and the start of the first of them that has one."""
        start = self._start_run()
        ids = frozenset(run.id for row in self.query_one(RunTable).chosen() for run in row.runs)
        few = len(ids) <= MOST_STEP_RUNS
        steps = ids if self.grid.needs("steps") and few else frozenset()
        correlations = ids if self.grid.needs("ansatz") else frozenset()
        return Wanted(ids, start.id if start else None, steps=steps, correlations=correlations)

    def show(self, snapshot: Snapshot) -> None:
        """Shows the runs, and the charts of those that are chosen."""
        self._snapshot = snapshot
        self._say(None if snapshot.runs else _EMPTY.format(path=self._path))
        self.query_one(StatusBar).show(snapshot)
        self.query_one(DeviceBar).show(snapshot)
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

    def show_devices(self, devices: tuple[Device, ...]) -> None:
        """Shows them in the line at the bottom."""
        for bar in self.query(DeviceBar):  # there is none yet if the devices are read before the first frame
            bar.show_devices(devices)

    # The table

    def action_filter(self) -> None:
        """Lets the user type a filter."""
        self.query_one(FilterBar).open()

    def on_filter_bar_changed(self, message: FilterBar.Changed) -> None:
        """Filters the table; once the user is done with typing the keys are the table's again."""
        table = self.query_one(RunTable)
        if message.wanted is None:
            table.focus()
        else:
            self.query_one(FilterBar).say(table.filter_by(message.wanted))

    def action_new(self) -> None:
        """Opens the form for new runs."""
        from agopconsole.tui.form_screen import FormScreen  # which the first frame does without

        self._program.open_screen(FormScreen())

    def action_report(self) -> None:
        """Opens the table that compares the methods of the study under the cursor."""
        from agopconsole.tui.report_screen import ReportScreen  # which the first frame does without

        row = self.query_one(RunTable).current()
        self._program.open_screen(ReportScreen(row.runs[0].study if row and row.runs else None))

    def action_columns(self) -> None:
        """Lets the user choose columns."""

        def chosen(keys: tuple[str, ...] | None) -> None:
            if keys is not None:
                self.query_one(RunTable).show_columns(keys)
                self._program.prefer(columns=keys)

        self._program.push_screen(ColumnsScreen(self.query_one(RunTable).columns), chosen)

    # Requests

    def action_pause_queue(self) -> None:
        """Pauses the queue, or has it go on."""
        self._program.errands.do(toggle_queue, self.notify)

    def chosen_runs(self) -> list[RunRecord]:
        """Those of the rows that are selected, or else of the one under the cursor."""
        return self.query_one(RunTable).runs()

    # Panels

    def action_next_chart(self, by: int) -> None:
        """Goes on to the next chart; where the start has no place of its own it comes after the last one.

        Where there is no room for charts beside the table, the first one takes the whole screen.
        """
        if self.has_class("-alone") and not self.grid.full:
            self.action_full()
            return
        stops = len(self.grid.plots) + (self.has_class("-single") and not self.grid.full)
        now = len(self.grid.plots) if self.has_class("-show-start") else self.grid.current
        place = (now + by) % stops
        self.set_class(place == len(self.grid.plots), "-show-start")
        if not self.has_class("-show-start"):
            self.grid.go_to(place)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without runs there is no next chart."""
        del parameters
        return action != "next_chart" or not self.has_class("-empty")

    def on_chart_grid_left(self) -> None:
        """Goes back from the charts to the table."""
        if self.grid.full:
            self.action_full()
        self.query_one(RunTable).focus()

    def on_resize(self, event: Resize) -> None:
        """Shows the start in place of the charts where there is no room below them."""
        width, height = event.size
        single = width < _ROOM_FOR_START[0] or (width < _WIDE and height < _ROOM_FOR_START[1])
        self.set_class(single, "-single")
        self.set_class(single and self.has_class("-show-start"), "-show-start")
        self.set_class(width < _ROOM_FOR_CHARTS, "-alone")
        self.refresh_bindings()

    def _say(self, text: str | None) -> None:
        """Puts words in place of table and charts, or takes them away."""
        words = self.query_one("#empty", Static)
        if text != (words.content or None):
            words.update(text or "")
            self.set_class(text is not None, "-empty")
            if text is None and self.focused is None:
                self.query_one(RunTable).focus()
            self.refresh_bindings()

    def _show_choice(self) -> None:
        """Draws a line for each method among the chosen rows, and one for each run that is a row."""
        if self._snapshot is None:
            return
        rows = self.query_one(RunTable).chosen()
        single = [row.run for row in rows if isinstance(row, RunRow)]
        repeats = list({run.id: run for row in rows if not isinstance(row, RunRow) for run in row.runs}.values())
        if {run.id for run in (*repeats, *single)} <= self._snapshot.histories.keys():
            self.grid.show(Drawing(repeats, single, self._snapshot.numbers))
        run = self._start_run()
        if run is None or run.id == self._snapshot.wanted.start:
            self.query_one(StartPanel).show(run, self._snapshot.start)

    def _start_run(self) -> RunRecord | None:
        """The first run under the cursor that a worker has begun."""
        row = self.query_one(RunTable).current()
        return next((run for run in row.runs if run.started_at), None) if row else None
