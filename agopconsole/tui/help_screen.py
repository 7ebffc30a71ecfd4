"""The help: every key of the screen below, what the signs mean, and how the numbers are made."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from agopconsole.analysis.colours import GREY
from agopconsole.tui.commands import Command

_WIDTH, _KEYS = 69, 18
"""Columns of the page, and those of them that the keys take."""

_SIGNS = (
    ("▶ ◌ ‖ ✓ ✗ -", "running, queued, paused, done, failed, cancelled"),
    ("≈", "at chance: never learnt; it counts in the mean"),
    ("n best ± gap", "seeds done; mean, deviation, mean loss gap over them"),
    ("✗ in a chart", "not a finite number there: diverged"),
    ("▲ ▼ in a chart", "the line goes on beyond the edge"),
    ("░ in a chart", "mean ± standard deviation over seeds"),
)
_FILTERS = (
    ("init:kaiming_*", "text fields take * and ?; commas part alternatives"),
    ("seed:<3 lr:>0.01", "numbers take < <= > >= and ranges, 0-2"),
    ("-status:done", "a minus turns a term round"),
    ("word", "looked for in whatever names the run"),
)


class HelpScreen(ModalScreen[None]):
    """A page of help above the screen; any of its keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,enter", "dismiss", "Close")]

    def __init__(self, found: Iterable[Command]) -> None:
        super().__init__()
        self._commands = list(found)

    def compose(self) -> ComposeResult:
        """One page."""
        with VerticalScroll(id="help") as page:
            page.border_title = "keys and signs"
            yield Static(self._page())

    def _page(self) -> Text:
        text = Text()
        keys = dict.fromkeys((command.keys, command.about) for command in self._commands)
        for part in (keys, _FILTERS, _SIGNS):
            for name, meaning in part:
                wrapped = textwrap.wrap(meaning, _WIDTH - _KEYS)
                text.append(f"{name:<{_KEYS}}", "bold").append(f"\n{'':<{_KEYS}}".join(wrapped)).append("\n")
            text.append("\n")
        return text.append("gap: validation less training loss, in eval mode; above 0: overfit", GREY)
