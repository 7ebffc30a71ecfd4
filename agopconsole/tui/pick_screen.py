"""A question above a screen: which run? Those most like a given one come first; typing narrows them down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from agopconsole.analysis.colours import GREY, WARNING, method_colour
from agopconsole.analysis.filter import parse_filter
from agopconsole.errors import RequestError
from agopconsole.store import RunRecord
from agopconsole.tui import words

NOBODY = 0
"""What is answered for no run at all; ids are counted from 1."""

_MOST = 100
_ALIKE = ("dataset", "model", "source", "epochs", "batch_size", "lr", "study", "seed", "method")


class PickScreen(ModalScreen[int | None]):
    """Asks for a run; the answer is its id, `NOBODY`, or None if the user thought better of it.

    Args:
        run: the run that the answer is to stand beside.
        runs: those to choose from, by id.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        Binding("down", "move(1)", "Down", show=False),
        Binding("up", "move(-1)", "Up", show=False),
    ]

    def __init__(self, run: RunRecord, runs: Mapping[int, RunRecord]) -> None:
        super().__init__()
        self._run = run
        self._nearest = nearest(run, runs.values())

    def compose(self) -> ComposeResult:
        """A field to type in, and the runs below it."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = f"compare {self._run.title} with"
            yield Input(placeholder="#12, or a filter: init:kaiming_* seed:0", compact=True, id="pick-filter")
            yield OptionList(id="pick-runs", compact=True)

    def on_mount(self) -> None:
        """Offers all of them; the keys are the field's, which hands up and down on to the list."""
        self.query_one(OptionList).can_focus = False
        self.query_one(Input).focus()
        self._offer("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrows the runs down."""
        event.stop()
        self._offer(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answers with the run under the cursor."""
        event.stop()
        options = self.query_one(OptionList)
        if options.highlighted is not None:
            self._answer(options.get_option_at_index(options.highlighted))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answers by a click."""
        event.stop()
        self._answer(event.option)

    def action_move(self, by: int) -> None:
        """Moves the cursor of the list."""
        options = self.query_one(OptionList)
        options.action_cursor_down() if by > 0 else options.action_cursor_up()

    def _answer(self, option: Option) -> None:
        self.dismiss(int(option.id or NOBODY))

    def _offer(self, text: str) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        try:
            wanted = parse_filter(text)
        except RequestError as error:
            options.add_option(Option(Text(f"✗ {error}", WARNING), disabled=True))
            return
        named = text.strip().removeprefix("#")
        found = [run for run in self._nearest if str(run.id) == named]
        found += [run for run in self._nearest if wanted(run) and run not in found]
        options.add_options(Option(_line(run), id=str(run.id)) for run in found[:_MOST])
        if not text.strip():
            options.add_option(Option(Text("none: this run alone", GREY), id=str(NOBODY)))
        options.highlighted = 0 if options.option_count else None


def nearest(run: RunRecord, runs: Iterable[RunRecord]) -> list[RunRecord]:
    """The other runs, those first that have most in common with `run`, and among equals the newest.

    Its twin differs in the method alone, and has no source for that reason: it counts as alike in both.
    """

    def distance(other: RunRecord) -> tuple[int, int]:
        unlike = sum(getattr(run, name) != getattr(other, name) for name in _ALIKE)
        return unlike - 2 * (run.twin == other.method), -other.id

    return sorted((other for other in runs if other.id != run.id), key=distance)


def _line(run: RunRecord) -> Text:
    text = Text.assemble(("■ ", method_colour(run.method)), run.title, no_wrap=True, overflow="ellipsis")
    text.append(f"  {words.STATE_SIGNS[run.status]}", WARNING if run.status == "failed" else GREY)
    if run.best_val_accuracy is not None:
        text.append(f" {words.accuracy(run.best_val_accuracy)} %")
    return text.append("  " + " · ".join([run.dataset, *[run.study] * bool(run.study)]), GREY)
