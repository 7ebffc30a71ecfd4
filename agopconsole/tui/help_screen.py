"""The help: every key, what the signs mean, and how the numbers are made."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from agopconsole.analysis.colours import GREY

_KEYS = (
    ("up down j k", "move; page up, page down, home and end go further"),
    ("left right", "close or open a study or a method"),
    ("space", "select: charts show the selection, else the cursor"),
    ("escape", "select none"),
    ("enter", "open the run: spec, epochs, log, error"),
    ("g", "methods (mean and deviation), or all runs one by one"),
    ("tab", "next chart, where there is room for one only"),
    ("r", "read the store again"),
    ("ctrl+s", "save a picture of the screen (SVG)"),
    ("q", "quit; the worker goes on"),
)
_SIGNS = (
    ("▶ ◌ ✓ ✗ -", "running, queued, done, failed, cancelled"),
    ("≈", "at chance: never learnt; it counts in the mean"),
    ("n best ± gap", "seeds done; mean, deviation, mean loss gap over them"),
    ("✗ in a chart", "not a finite number there: diverged"),
    ("▲ ▼ in a chart", "the line goes on beyond the edge"),
    ("░ in a chart", "mean ± standard deviation over seeds"),
)


class HelpScreen(ModalScreen[None]):
    """A page of help above the screen; any of its keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,enter", "dismiss", "Close")]

    def compose(self) -> ComposeResult:
        """One page."""
        with VerticalScroll(id="help") as page:
            page.border_title = "keys and signs"
            yield Static(_page())


def _page() -> Text:
    text = Text()
    for lines in (_KEYS, _SIGNS):
        for name, meaning in lines:
            text.append(f"{name:<16}", "bold").append(f"{meaning}\n")
        text.append("\n")
    return text.append("gap: validation less training loss, in eval mode; above 0: overfit", GREY)
