"""The choice of columns: which ones the table shows, and in what order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from agopconsole.analysis.colours import GREY
from agopconsole.tui.columns import COLUMNS
from agopconsole.tui.theme import SELECTED


class ColumnsScreen(ModalScreen[tuple[str, ...]]):
    """A list of all columns; it gives back those that are to be shown, in order."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("shift+up,K", "carry(-1)", "Carry up", show=False),
        Binding("shift+down,J", "carry(1)", "Carry down", show=False),
        Binding("space", "show", "Show or hide"),
        Binding("enter,escape,v,q", "done", "Done"),
    ]

    def __init__(self, shown: Sequence[str]) -> None:
        super().__init__()
        self._order = [*shown, *(key for key in COLUMNS if key not in shown)]
        self._shown = set(shown)
        self._cursor = 0

    def compose(self) -> ComposeResult:
        """One list."""
        with VerticalScroll(classes="dialog") as page:
            page.border_title = "columns: space shows or hides, K and J carry up and down"
            yield Static(id="columns")

    def on_mount(self) -> None:
        """Draws the list."""
        self._draw()

    def action_move(self, by: int) -> None:
        """Moves the cursor."""
        self._cursor = min(max(self._cursor + by, 0), len(self._order) - 1)
        self._draw()

    def action_carry(self, by: int) -> None:
        """Moves the column under the cursor."""
        place = min(max(self._cursor + by, 0), len(self._order) - 1)
        self._order.insert(place, self._order.pop(self._cursor))
        self._cursor = place
        self._draw()

    def action_show(self) -> None:
        """Shows or hides the column under the cursor."""
        self._shown ^= {self._order[self._cursor]}
        self._draw()

    def action_done(self) -> None:
        """Closes the list."""
        self.dismiss(tuple(key for key in self._order if key in self._shown))

    def _draw(self) -> None:
        lines = []
        for i, key in enumerate(self._order):
            sign = ("● ", SELECTED) if key in self._shown else ("  ", "")
            line = Text.assemble(sign, f"{COLUMNS[key].title:<10}", (COLUMNS[key].about, GREY))
            if i == self._cursor:
                line.stylize("reverse")
            lines.append(line)
        self.query_one("#columns", Static).update(Text("\n").join(lines))
