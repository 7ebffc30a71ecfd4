"""Jump mode: a letter on everything that can be focused; typing it goes there."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.geometry import Offset
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Label

LETTERS = "asdfghjklqwertyuiopzxcvbnm"


class JumpScreen(ModalScreen[Widget]):
    """Letters above the widgets of the screen below; any other key closes it."""

    def __init__(self, targets: Sequence[Widget]) -> None:
        super().__init__()
        self._targets = dict(zip(LETTERS, targets, strict=False))

    def compose(self) -> ComposeResult:
        """A label a target, at its upper left corner."""
        for letter, target in self._targets.items():
            label = Label(f" {letter} ", classes="jump")
            label.styles.position = "absolute"
            label.styles.offset = Offset(target.region.x, target.region.y)
            yield label

    def on_key(self, event: events.Key) -> None:
        """Goes to what carries that letter."""
        event.stop()
        self.dismiss(self._targets.get(event.character or ""))
