"""Small questions above a screen: yes or no, and one line of text."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from agopconsole.analysis.colours import WARNING
from agopconsole.errors import RequestError


class ConfirmScreen(ModalScreen[bool]):
    """A question whose answer is yes or no.

    Args:
        question: what is asked.
        yes: the word on the button that says yes.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape,q", "answer(False)", "No"),
    ]

    def __init__(self, question: str, yes: str) -> None:
        super().__init__()
        self._question, self._yes = question, yes

    def compose(self) -> ComposeResult:
        """The question and two buttons; the one that changes nothing comes first."""
        with Vertical(classes="dialog"):
            yield Static(self._question, markup=False)
            with Horizontal(classes="buttons"):
                yield Button("no (n)", id="no", compact=True)
                yield Button(f"{self._yes} (y)", id="yes", variant="error", compact=True)

    def action_answer(self, yes: bool) -> None:
        """Closes the question with that answer."""
        self.dismiss(yes)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answers by a click."""
        self.dismiss(event.button.id == "yes")


class PromptScreen(ModalScreen[str]):
    """A question whose answer is one line of text; an empty one means that the user thought better of it.

    Args:
        question: what is asked.
        value: the answer that is offered.
        check: raises RequestError for an answer that will not do, which is said below it; it may take its time.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss('')", "Cancel")]

    def __init__(self, question: str, value: str, check: Callable[[str], object] | None = None) -> None:
        super().__init__()
        self._question, self._value, self._check = question, value, check

    def compose(self) -> ComposeResult:
        """The question, a field, and below it what is wrong with the answer."""
        with Vertical(classes="dialog"):
            yield Static(self._question, markup=False)
            yield Input(self._value, compact=True)
            yield Static(id="refusal", markup=False)

    def on_mount(self) -> None:
        """There is nothing wrong yet."""
        self.query_one("#refusal").display = False

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Closes the question with what was typed, if that will do."""
        event.stop()
        answer = event.value.strip()
        if answer and self._check is not None:
            try:
                await asyncio.to_thread(self._check, answer)
            except RequestError as error:
                refusal = self.query_one("#refusal", Static)
                refusal.update(Text(f"✗ {error}", WARNING))
                refusal.display = True
                return
        if self.is_current:  # the user may have thought better of it meanwhile
            self.dismiss(answer)
