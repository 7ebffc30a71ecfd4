"""The table of runs: a line a row, of which only those in sight are ever drawn."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from agopconsole.analysis.filter import Filter
from agopconsole.store import RunRecord
from agopconsole.tui.columns import USUAL, Column, Sort, fitting, sorter
from agopconsole.tui.messages import ChoiceChanged, OpenRun
from agopconsole.tui.row_text import heading_line, row_line
from agopconsole.tui.rows import Arrange, Key, Row, RowBuilder, RunRow, first_of_interest, visible
from agopconsole.tui.snapshot import Snapshot


class RunTable(ScrollView, can_focus=True):
    """Rows of a snapshot with a cursor, a selection, and rows that open and close.

    Cursor, selection and what is open go by the key of a row, so they stay where they are when rows come and go.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"run-table--heading", "run-table--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "move(-1000000)", "First", show=False),
        Binding("end", "move(1000000)", "Last", show=False),
        Binding("left", "fold(False)", "Close", show=False, tooltip="close a study or a method"),
        Binding("right", "fold(True)", "Open", show=False, tooltip="open a study or a method"),
        Binding(
            "space", "select", "Select", tooltip="select: charts and actions go by the selection, else the cursor"
        ),
        Binding("shift+up,K", "extend(-1)", "Select up", show=False, tooltip="select upwards, row by row"),
        Binding("shift+down,J", "extend(1)", "Select down", show=False, tooltip="select downwards, row by row"),
        Binding("a", "select_all", "Select all", show=False, tooltip="select every run in sight"),
        Binding("escape", "select_none", "Select none", show=False, tooltip="select none"),
        Binding("g", "group", "Group", tooltip="methods (mean and deviation), or all runs one by one"),
        Binding("o", "sort(1)", "Sort", show=False, tooltip="sort by the next column"),
        Binding("O", "reverse", "Reverse", show=False, tooltip="turn the order round"),
        Binding("enter", "enter", "Open", key_display="enter", tooltip="open the run: spec, epochs, log, error"),
    ]

    grouped: reactive[bool] = reactive(True, init=False)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._snapshot = Snapshot()
        self._builder = RowBuilder()
        self._all: list[Row] = []
        self._opened: dict[Key, bool] = {}
        self._cursor: Key | None = None
        self._places: dict[Key, int] = {}
        self._told: object = None
        self._found: tuple[list[Row], frozenset[Key], list[Row]] = ([], frozenset(), [])
        self._filter = Filter()
        self._arrange: Arrange = list
        self.sort: Sort | None = None
        self.columns: tuple[str, ...] = USUAL
        self.rows: list[Row] = []
        self.selected: set[Key] = set()

    # What the screen tells the table, and asks of it

    def show(self, snapshot: Snapshot) -> None:
        """Shows the rows of `snapshot`; only lines that differ are drawn anew."""
        before, self._snapshot = self._snapshot, snapshot
        if snapshot.runs is not before.runs or snapshot.paces != before.paces:
            self._rebuild()

    @property
    def cursor(self) -> int:
        """Number of the row under the cursor."""
        return self._places.get(self._cursor or (), 0)

    def chosen(self) -> list[Row]:
        """The rows that the rest of the screen is about: those selected, or else the one under the cursor."""
        if not self.selected:
            return [self.rows[self.cursor]] if self.rows else []
        rows, selected, found = self._found
        if rows is not self._all or selected != self.selected:  # it is asked for often, and may be one in thousands
            found = [row for row in self._all if row.key in self.selected]
            self._found = (self._all, frozenset(self.selected), found)
        return found

    def runs(self) -> list[RunRecord]:
        """The runs that an action is about, oldest first."""
        return sorted({run.id: run for row in self.chosen() for run in row.runs}.values(), key=lambda run: run.id)

    def filter_by(self, wanted: Filter) -> int:
        """Shows the runs that the filter lets through alone; how many they are."""
        self._filter = wanted
        self._rebuild()
        return len({run.id for row in self._all for run in row.runs})

    def sort_by(self, sort: Sort | None) -> None:
        """Sorts rows that stand side by side by a column, or as they were queued."""
        self.sort = sort
        if sort is None:
            self._arrange = list
        else:
            self._arrange = partial(sorted, key=sorter(sort), reverse=sort.descending)
        self._rebuild()
        self.refresh()
        self._go_to(self.cursor)

    def show_columns(self, keys: Sequence[str]) -> None:
        """Shows those columns in that order, as far as there is room."""
        self.columns = tuple(keys)
        self.refresh()

    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.rows else None

    # Keys

    def action_move(self, by: int) -> None:
        """Moves the cursor."""
        if self.rows:
            self._go_to(min(max(self.cursor + by, 0), len(self.rows) - 1))

    def action_page(self, by: int) -> None:
        """Moves the cursor by a screenful."""
        self.action_move(by * max(self.size.height - 2, 1))

    def action_select(self) -> None:
        """Adds the row under the cursor to the selection, or takes it out, and goes on to the next one."""
        row = self.current()
        if row is None:
            return
        self.selected ^= {row.key}
        self._go_to(min(self.cursor + 1, len(self.rows) - 1))

    def action_select_none(self) -> None:
        """Empties the selection."""
        self.selected.clear()
        self.refresh()
        self._tell()

    def action_extend(self, by: int) -> None:
        """Selects the row under the cursor and the next one, and goes on to that."""
        row = self.current()
        if row is None:
            return
        self.selected.add(row.key)
        self._go_to(min(max(self.cursor + by, 0), len(self.rows) - 1))
        self.selected.add(self.rows[self.cursor].key)
        self.refresh()
        self._tell()

    def action_select_all(self) -> None:
        """Selects every run that the filter lets through, or none if they all are."""
        every = {row.key for row in self._all if isinstance(row, RunRow)}
        self.selected = set() if every <= self.selected else every
        self.refresh()
        self._tell()

    def action_sort(self, by: int) -> None:
        """Sorts by the next column in sight, best first; after the last one as queued."""
        keys = [None, *(column.key for column in self._fitting())]
        now = self.sort.key if self.sort else None
        key = keys[(keys.index(now) + by) % len(keys)] if now in keys else None
        self.sort_by(None if key is None else Sort(key, descending=True))

    def action_reverse(self) -> None:
        """Turns the order round."""
        if self.sort is not None:
            self.sort_by(Sort(self.sort.key, not self.sort.descending))

    def action_group(self) -> None:
        """Changes between methods and single runs."""
        self.grouped = not self.grouped

    def action_fold(self, is_open: bool) -> None:
        """Opens or closes the row under the cursor; closing a row that holds none closes the one above it."""
        row = self.current()
        if row is None:
            return
        if row.is_open is None or (row.is_open is False and not is_open):
            if is_open or not row.parents:
                return
            self._cursor = row.parents[-1]
        self._opened[self._cursor or row.key] = is_open
        self._rebuild()
        self._go_to(self.cursor)

    def action_enter(self) -> None:
        """Opens the run under the cursor in full; opens or closes any other row."""
        row = self.current()
        if isinstance(row, RunRow):
            self.post_message(OpenRun(row.run.id))
        elif row is not None:
            self.action_fold(not row.is_open)

    def on_click(self, event: events.Click) -> None:
        """Moves the cursor to the row that was clicked; a second click opens it."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y == 0:
            self._click_heading(offset.x)
            return
        row = offset.y - 1 + self.scroll_offset.y
        if row < len(self.rows):
            self._go_to(row)
            if event.chain == 2:
                self.action_enter()

    def _click_heading(self, x: int) -> None:
        """Sorts by the column whose name was clicked; a second click turns the order round."""
        right = self.scrollable_content_region.width
        for column in reversed(self._fitting()):
            if right - column.width <= x < right:
                same = self.sort is not None and self.sort.key == column.key
                self.action_reverse() if same else self.sort_by(Sort(column.key, descending=True))
            right -= column.width

    # Rows

    def watch_grouped(self) -> None:
        """Shows the rows of the other order; of cursor and selection stays what is in both."""
        self._rebuild()
        self._go_to(self.cursor)

    def _rebuild(self) -> None:
        old, place = self.rows, self.cursor
        self._all = self._builder.build(
            self._snapshot, grouped=self.grouped, opened=self._opened, keep=self._filter, arrange=self._arrange
        )
        self.rows = visible(self._all)
        self._places = {row.key: i for i, row in enumerate(self.rows)}
        if self.selected:
            self.selected = {row.key for row in self.chosen()}
        is_first = self._cursor is None
        if self.rows and self._cursor not in self._places:
            place = first_of_interest(self.rows) if is_first else min(place, len(self.rows) - 1)
            self._cursor = self.rows[place].key
        self.virtual_size = Size(self.scrollable_content_region.width, len(self.rows) + 1)
        top = self.scroll_offset.y
        for i in range(top, min(top + self.size.height, len(self.rows))):
            if i >= len(old) or (self.rows[i] is not old[i] and self.rows[i] != old[i]):
                self._refresh_row(i)
        if len(self.rows) < len(old):
            self.refresh()
        if is_first and self.cursor >= self.size.height // 2:
            self.scroll_to(y=self.cursor, animate=False, force=True)  # in sight, and what stands beneath it
        self._tell()

    def _go_to(self, row: int) -> None:
        if not self.rows:
            return
        before, self._cursor = self.cursor, self.rows[row].key
        self._refresh_row(before)
        self._refresh_row(row)
        top, page = self.scroll_offset.y, max(self.scrollable_content_region.height - 1, 1)
        if row < top or row >= top + page:
            self.scroll_to(y=row if row < top else row - page + 1, animate=False)
        self._tell()

    def _refresh_row(self, row: int) -> None:
        self.refresh_line(row + 1)

    def _tell(self) -> None:
        """Tells the screen where cursor and selection stand, if they have moved since it was last told."""
        choice = (self._cursor, frozenset(self.selected))
        if choice != self._told:
            self._told = choice
            self.post_message(ChoiceChanged())

    # Drawing

    def _fitting(self) -> list[Column]:
        return fitting(self.columns, self.scrollable_content_region.width, grouped=self.grouped)

    def on_resize(self) -> None:
        """Keeps the cursor in sight, and every line as wide as the table."""
        self.virtual_size = Size(self.scrollable_content_region.width, len(self.rows) + 1)
        self._go_to(self.cursor)

    def render_line(self, y: int) -> Strip:
        """Line `y` of the window: the names of the columns, and below them the rows from the scroll offset on."""
        width = self.scrollable_content_region.width
        index = y - 1 + self.scroll_offset.y
        style = self.rich_style
        if y == 0:
            text = heading_line(width, self._fitting(), grouped=self.grouped, sort=self.sort)
            style = self.get_component_rich_style("run-table--heading")
        elif index < len(self.rows):
            row = self.rows[index]
            text = row_line(row, width, self._fitting(), selected=row.key in self.selected)
            if row.key == self._cursor:
                style = self.get_component_rich_style("run-table--cursor")
        else:
            return Strip.blank(width, style)
        segments = text.render(self.app.console)
        return Strip(
            [Segment(s.text, style + (s.style or Style.null())) for s in segments if s.text]
        ).adjust_cell_length(width, style)
