"""The choice of what a chart shows."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from agopconsole.analysis.plots import PLOTS


class PlotScreen(ModalScreen[str]):
    """A list of all plots; it gives back the name of the one that was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,m", "dismiss", "Close"),
        Binding("j", "move('down')", "Down", show=False),
        Binding("k", "move('up')", "Up", show=False),
    ]

    def __init__(self, shown: str) -> None:
        super().__init__()
        self._shown = shown

    def compose(self) -> ComposeResult:
        """One list."""
        with Vertical(classes="dialog") as page:
            page.border_title = "what the chart shows"
            yield OptionList(*(Option(plot.title, id=name) for name, plot in PLOTS.items()), compact=True)

    def on_mount(self) -> None:
        """Begins with what is shown."""
        self.query_one(OptionList).highlighted = list(PLOTS).index(self._shown)

    def action_move(self, where: str) -> None:
        """Moves the cursor."""
        plots = self.query_one(OptionList)
        plots.action_cursor_down() if where == "down" else plots.action_cursor_up()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Closes the list with the plot that was chosen."""
        event.stop()
        self.dismiss(event.option_id)
