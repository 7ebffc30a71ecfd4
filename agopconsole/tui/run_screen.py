"""One run in full: what was asked for and how it differs, how it stands and why, its numbers, its log, its files."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical, VerticalScroll
from textual.events import Resize
from textual.widgets import DataTable, Static

from agopconsole.analysis.charts import accuracy_series
from agopconsole.analysis.colours import GREY, WARNING, method_colour
from agopconsole.analysis.photo_maps import StoredMaps
from agopconsole.backend.places import BEST_WEIGHTS
from agopconsole.catalogue import normed_layers
from agopconsole.metrics import EpochMetrics
from agopconsole.store import LogLine, RunRecord
from agopconsole.tui import words
from agopconsole.tui.chart_panel import ChartPanel
from agopconsole.tui.filter_pictures import filters_text
from agopconsole.tui.kept_maps import newest_maps
from agopconsole.tui.key_bar import KeyBar
from agopconsole.tui.layer_table import ANSATZ_COLUMNS, MORE_COLUMNS, START_COLUMNS, layers_table
from agopconsole.tui.maps_screen import MapsScreen
from agopconsole.tui.messages import ChoiceChanged
from agopconsole.tui.pick_screen import NOBODY, PickScreen
from agopconsole.tui.run_actions_screen import RunActionsScreen
from agopconsole.tui.run_facts import facts_text
from agopconsole.tui.run_files import files_text
from agopconsole.tui.snapshot import Snapshot, Wanted
from agopconsole.tui.stored_filters import StoredFilters, stored_filters
from agopconsole.tui.theme import CAUTION
from agopconsole.wording import counted

_PARTS = {
    "facts": "spec",
    "run-accuracy": "validation accuracy, %",
    "layers": "layers",
    "filters": "first layer",
    "epochs": "epochs",
    "log": "log",
    "files": "files",
}
"""The parts of the screen by id, in the order in which Tab goes through them."""

_ALL_PARTS = (100, 36)
"""Columns and lines that it takes to show all parts; with fewer there is one at a time."""

_SIDE_BY_SIDE = 160
"""Columns from which the parts stand three abreast, so that few lines will do."""

_COLUMNS = ("epoch", "val %", "train %", "gap", "val loss", "train loss", "grad", "images/s")
_MOST_LINES = 1000
"""Lines of a log that are shown, the last ones."""


class RunScreen(RunActionsScreen):
    """The details of the run of that id, kept up to date."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "other", "Compare", tooltip="compare with another run: what differs, and both curves"),
        Binding("m", "maps", "Maps", tooltip="what its layers see in a photo: the maps of NFM and AGOP^1/2"),
        Binding("tab", "next_part(1)", "Part", priority=True, tooltip="the next part: spec, curve, layers ..."),
        Binding("shift+tab", "next_part(-1)", "Part before", priority=True, show=False),
        Binding("z", "alone", "Alone", show=False, tooltip="one part alone on the screen, or all of them"),
        Binding("escape,enter,backspace", "dismiss", "Back"),
    ]

    def __init__(self, run_id: int) -> None:
        super().__init__()
        self._run_id = run_id
        self._other: int | None = None
        self._part = "facts"
        self._alone = False
        self._follows_log = True
        self._snapshot = Snapshot()
        self._filters: tuple[StoredFilters, ...] = ()
        self._filters_are_of: object = None

    def compose(self) -> ComposeResult:
        """Lays out the facts to the left, the numbers to the right."""
        yield Static(id="heading")
        with Horizontal(id="run-body"):
            with Vertical(id="run-left"):
                with VerticalScroll(id="facts", classes="panel"):
                    yield Static(id="spec", markup=False)
                with VerticalScroll(id="filters", classes="panel"):
                    yield Static(id="filter-rows")
                with VerticalScroll(id="files", classes="panel"):
                    yield Static(id="file-lines")
            with Container(id="run-numbers"):
                with Vertical(id="run-curve"):
                    yield ChartPanel(_PARTS["run-accuracy"], id="run-accuracy")
                    with VerticalScroll(id="layers", classes="panel"):
                        yield Static(id="layer-lines")
                with Vertical(id="run-course"):
                    yield DataTable(id="epochs", classes="panel", cursor_type="row", cell_padding=0)
                    with VerticalScroll(id="log", classes="panel"):
                        yield Static(id="log-lines")
        yield KeyBar()

    def on_mount(self) -> None:
        """Names the parts."""
        for part, title in _PARTS.items():
            self.query_one(f"#{part}").border_title = title
        for name in _COLUMNS:
            self._epochs.add_column(Text(name, justify="right"), key=name, width=max(len(name) + 2, 7))
        self.watch(self.query_one("#log"), "scroll_y", self._log_scrolled, init=False)
        self._show_part(self._part)

    @property
    def _epochs(self) -> DataTable[Text]:
        return self.query_one("#epochs", DataTable)

    # What goes in and out

    def wanted(self) -> Wanted:
        """The epochs of the run and of the one beside it; its start, its log and its files."""
        shown = frozenset({self._run_id} if self._other is None else {self._run_id, self._other})
        return Wanted(shown, start=self._run_id, log=self._run_id)

    def show(self, snapshot: Snapshot) -> None:
        """Shows how the run stands; a run that was removed says so."""
        self._snapshot = snapshot
        run, other = snapshot.runs.get(self._run_id), snapshot.runs.get(self._other or NOBODY)
        if run is None:
            self.query_one("#heading", Static).update(Text(f" #{self._run_id} is no longer in the store", WARNING))
            return
        self.query_one("#heading", Static).update(_heading(run))
        history = snapshot.histories.get(run.id, ())
        both = [run] if other is None else [run, other]
        self.query_one(ChartPanel).show(accuracy_series(both, snapshot.histories, by_method=False))
        self._show_epochs(history)
        start = snapshot.start if snapshot.wanted.start == run.id else ()
        self.query_one("#spec", Static).update(facts_text(run, snapshot.runs, start, other))
        self._show_layers()
        if snapshot.wanted.log == run.id:
            self._show_log(snapshot.log)
            self.query_one("#file-lines", Static).update(files_text(snapshot.files))
            self._read_filters(run)

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
                words.loss(epoch.val_loss),
                words.loss(epoch.fixed_train_loss),
                words.compact(epoch.gradient_norm),
                f"{epoch.images_per_second:,.0f}",
            )
            table.add_row(*(Text(cell, justify="right") for cell in cells))
        if at_the_end:
            table.move_cursor(row=table.row_count - 1)

    def _show_log(self, lines: tuple[LogLine, ...]) -> None:
        """Shows the log; its end stays in sight until the user scrolls up."""
        self.query_one("#log-lines", Static).update(_log(lines))
        self._follow_log()

    def _follow_log(self) -> None:
        if self._follows_log:
            self.query_one("#log").scroll_end(animate=False)

    def _log_scrolled(self) -> None:
        log = self.query_one("#log")
        self._follows_log = log.scroll_y >= log.max_scroll_y
        log.border_title = "log" if self._follows_log else "log (End follows it again)"

    def _show_layers(self) -> None:
        """Shows how the layers started, and how NFM and AGOP agreed when that was looked at last."""
        snapshot, panel = self._snapshot, self.query_one("#layers")
        if snapshot.wanted.start != self._run_id or snapshot.wanted.log != self._run_id:
            return
        last = snapshot.ansatz[-1] if snapshot.ansatz else None
        panel.border_title = _PARTS["layers"] if last is None else f"layers at the start; ansatz, epoch {last.epoch}"
        columns = (*START_COLUMNS, *(ANSATZ_COLUMNS if last else ()), *MORE_COLUMNS)
        width = panel.scrollable_content_region.width
        run = snapshot.runs.get(self._run_id)
        normed = normed_layers(run.model) if run else ()
        table = layers_table(snapshot.start, width, columns, last.layers if last else (), normed)
        self.query_one("#layer-lines", Static).update(table)

    def _read_filters(self, run: RunRecord) -> None:
        """Has the first layers read anew where the files that hold them may have changed."""
        now = (run.source_run, run.status, [file for file in self._snapshot.files if file.name == BEST_WEIGHTS])
        if now == self._filters_are_of:
            return
        self._filters_are_of = now

        def read(found: tuple[StoredFilters, ...]) -> None:
            self._filters = found
            if self.is_mounted:
                self._show_filters()

        self._program.errands.do(lambda store: stored_filters(store, run), read)

    def _show_filters(self) -> None:
        """Draws as many of their eigenvectors as there is room for."""
        width = self.query_one("#filters").content_region.width - 1  # the last column may be a scroll bar's
        text = filters_text(self._filters, width, draws=self._program.draws_pictures)
        self.query_one("#filter-rows", Static).update(text)

    # Requests

    def chosen_runs(self) -> list[RunRecord]:
        """The run that is shown."""
        run = self._snapshot.runs.get(self._run_id)
        return [] if run is None else [run]

    def removed(self, said: str) -> None:
        """Says that the run is gone, and goes back: there is nothing left to show."""
        super().removed(said)
        if self.is_current:
            self.dismiss()

    # Parts

    def on_resize(self, event: Resize) -> None:
        """Shows one part at a time where there is no room for all of them."""
        del event
        self._fit()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Remembers which part the user is at: it is the one that stays where there is room for one."""
        if event.widget.id in _PARTS:
            self._part = event.widget.id
            self._fit()

    def action_next_part(self, by: int) -> None:
        """Goes to the next part, or to the one before."""
        parts = list(_PARTS)
        self._show_part(parts[(parts.index(self._part) + by) % len(parts)])

    def action_alone(self) -> None:
        """Shows one part alone, or all of them again."""
        self._alone = not self._alone
        self._fit()

    def _show_part(self, part: str) -> None:
        self._part = part
        self._fit()
        widget = self.query_one(f"#{part}")
        self.set_focus(widget if widget.can_focus else None)

    def _fit(self) -> None:
        width, height = self.size
        little = width < _ALL_PARTS[0] or (width < _SIDE_BY_SIDE and height < _ALL_PARTS[1])
        self.set_class(little or self._alone, "-single")
        for part in _PARTS:
            self.set_class(part == self._part, f"-show-{part}")
        self.call_after_refresh(self._show_layers)
        self.call_after_refresh(self._show_filters)
        self.call_after_refresh(self._follow_log)

    # The maps of a photo

    def action_maps(self) -> None:
        """Shows those that are kept, or asks for a photo; a run without a checkpoint has none."""
        run = self._snapshot.runs.get(self._run_id)
        if run is not None:

            def found(maps: StoredMaps | None) -> None:
                if self.is_current:
                    self._program.open_screen(MapsScreen(run, maps))

            self._program.errands.do(lambda store: newest_maps(store, run), found)

    # The other run

    def action_other(self) -> None:
        """Lets the user choose a run to compare this one with."""
        run = self._snapshot.runs.get(self._run_id)
        if run is None:
            return

        def picked(run_id: int | None) -> None:
            if run_id is not None:
                self._other = run_id or None
                self.show(self._snapshot)
                self.post_message(ChoiceChanged())

        self.app.push_screen(PickScreen(run, self._snapshot.runs), picked)


def _heading(run: RunRecord) -> Text:
    sign = words.STATE_SIGNS[run.status]
    state = f"{run.status}, epoch {run.epoch}/{run.epochs}"
    text = Text.assemble(" ", (f"#{run.id}", "bold"), " ", ("■ ", method_colour(run.method)), (run.name, "bold"))
    text.append(f"   {sign} {state}", WARNING if run.status == "failed" else GREY)
    for flag in run.flags:
        text.append(f"   {flag.replace('_', ' ')}", WARNING if flag == "diverged" else CAUTION)
    if run.best_val_accuracy is not None:
        text.append(f"   best {run.best_val_accuracy:.1f} % in epoch {run.best_epoch}", GREY)
    return text


def _log(lines: tuple[LogLine, ...]) -> Text:
    if not lines:
        return Text("nothing logged yet", GREY)
    text = Text()
    if len(lines) > _MOST_LINES:
        text.append(f"the last {_MOST_LINES:,} of {counted(len(lines), 'line')}\n", GREY)
    for line in lines[-_MOST_LINES:]:
        text.append(f"{line.time[11:19]} ", GREY)
        text.append(f"{line.message}\n", WARNING if line.level == "error" else "")
    text.rstrip()
    return text
