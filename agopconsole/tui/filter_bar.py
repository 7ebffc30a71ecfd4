"""The line in which a filter is typed, and the one that says what is wrong with it."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from agopconsole.analysis.colours import GREY, WARNING
from agopconsole.analysis.filter import Filter, parse_filter
from agopconsole.errors import RequestError
from agopconsole.wording import counted

_PAUSE_SECONDS = 0.1
"""A filter is tried once the user has stopped typing for that long: thousands of runs are not gone through a key."""


class FilterBar(Vertical):
    """A filter for the table; it is there while it holds one or is typed in."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "clear", "No filter", show=False)]

    class Changed(Message):
        """There is another filter, or with None the user is done with typing."""

        def __init__(self, wanted: Filter | None) -> None:
            super().__init__()
            self.wanted = wanted

    _timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """A field and a line below it."""
        yield Input(placeholder="init:kaiming_* status:running seed:<3 words", compact=True, id="filter")
        yield Static(id="filter-says")

    def open(self) -> None:
        """Lets the user type."""
        self.add_class("-open")
        self.query_one(Input).focus()

    def say(self, count: int) -> None:
        """Says how many runs the filter lets through."""
        self.query_one("#filter-says", Static).update(Text(counted(count, "run"), GREY))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tries the filter once there is a pause."""
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_PAUSE_SECONDS, self._try)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keeps the filter and goes back to the table."""
        event.stop()
        self._try()
        self._close()

    def action_clear(self) -> None:
        """Takes the filter away."""
        self.query_one(Input).value = ""
        self._try()
        self._close()

    def _close(self) -> None:
        self.set_class(bool(self.query_one(Input).value.strip()), "-open")
        self.post_message(self.Changed(None))

    def _try(self) -> None:
        try:
            wanted = parse_filter(self.query_one(Input).value)
        except RequestError as error:
            self.query_one("#filter-says", Static).update(Text(f"✗ {error}", WARNING))
        else:
            self.post_message(self.Changed(wanted))
