"""The table of runs: a line a row, of which only those in sight are ever drawn."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from agopconsole.tui.messages import ChoiceChanged, OpenRun
from agopconsole.tui.row_text import heading_line, row_line
from agopconsole.tui.rows import Key, Row, RunRow, build_rows, visible
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
        Binding("left,h", "fold(False)", "Close", show=False),
        Binding("right,l", "fold(True)", "Open", show=False),
        Binding("space", "select", "Select"),
        Binding("escape", "select_none", "Select none", show=False),
        Binding("g", "group", "Group"),
        Binding("enter", "enter", "Open"),
    ]

    grouped: reactive[bool] = reactive(True, init=False)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._snapshot = Snapshot()
        self._all: list[Row] = []
        self._opened: dict[Key, bool] = {}
        self._cursor: Key | None = None
        self._told: object = None
        self.rows: list[Row] = []
        self.selected: set[Key] = set()

    # What the screen tells the table, and asks of it

    def show(self, snapshot: Snapshot) -> None:
        """Shows the rows of `snapshot`; only lines that differ are drawn anew."""
        self._snapshot = snapshot
        self._rebuild()

    @property
    def cursor(self) -> int:
        """Number of the row under the cursor."""
        return next((i for i, row in enumerate(self.rows) if row.key == self._cursor), 0)

    def chosen(self) -> list[Row]:
        """The rows that the rest of the screen is about: those selected, or else the one under the cursor."""
        if self.selected:
            return [row for row in self._all if row.key in self.selected]
        return [self.rows[self.cursor]] if self.rows else []

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
        if offset is None or offset.y == 0:
            return
        row = offset.y - 1 + self.scroll_offset.y
        if row < len(self.rows):
            self._go_to(row)
            if event.chain == 2:
                self.action_enter()

    # Rows

    def watch_grouped(self) -> None:
        """Shows the rows of the other order; of cursor and selection stays what is in both."""
        self._rebuild()
        self._go_to(self.cursor)

    def _rebuild(self) -> None:
        old, place = self.rows, self.cursor
        self._all = build_rows(self._snapshot, grouped=self.grouped, opened=self._opened)
        self.rows = visible(self._all)
        self.selected &= {row.key for row in self._all}
        if self.rows and self._cursor not in {row.key for row in self.rows}:
            self._cursor = self.rows[min(place, len(self.rows) - 1)].key
        self.virtual_size = Size(self.scrollable_content_region.width, len(self.rows) + 1)
        for i, row in enumerate(self.rows):
            if i >= len(old) or row != old[i]:
                self._refresh_row(i)
        if len(self.rows) < len(old):
            self.refresh()
        self._tell()

    def _go_to(self, row: int) -> None:
        if not self.rows:
            return
        before, self._cursor = self.cursor, self.rows[row].key
        self._refresh_row(before)
        self._refresh_row(row)
        top, page = self.scroll_offset.y, max(self.size.height - 1, 1)
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
            text = heading_line(width, grouped=self.grouped)
            style = self.get_component_rich_style("run-table--heading")
        elif index < len(self.rows):
            row = self.rows[index]
            text = row_line(row, width, selected=row.key in self.selected)
            if row.key == self._cursor:
                style = self.get_component_rich_style("run-table--cursor")
        else:
            return Strip.blank(width, style)
        segments = text.render(self.app.console)
        return Strip(
            [Segment(s.text, style + (s.style or Style.null())) for s in segments if s.text]
        ).adjust_cell_length(width, style)
