"""The form for new runs and studies: a line a field, checked as one types, and what would be queued beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.suggester import SuggestFromList
from textual.widgets import Button, Input, Select, Static

from agopconsole.analysis.colours import GREY, WARNING, method_colour
from agopconsole.analysis.command_line import command_line
from agopconsole.analysis.estimate import Paces, read_paces
from agopconsole.errors import RequestError
from agopconsole.queue.machine import this_machine
from agopconsole.spec import RunSpec
from agopconsole.store import Store
from agopconsole.study import read_toml, studies_at_hand
from agopconsole.tui.form import FIELDS, GRID, SEVERAL, form_texts, read_form
from agopconsole.tui.key_bar import KeyBar
from agopconsole.tui.snapshot import Snapshot
from agopconsole.tui.store_screen import StoreScreen
from agopconsole.wording import counted

_META: dict[str, Mapping[str, Any]] = {f.name: f.metadata for f in fields(RunSpec)}
_DEFAULTS = {f.name: f.default for f in fields(RunSpec)}
_GRID_HELP = "fields to vary: lr=0.1,0.01; epochs=3,5"
_MOST_LABELS, _MOST_COMMANDS = 8, 3


class FormScreen(StoreScreen):
    """A form.

    Args:
        texts: what stands in it at first, by field.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "queue", "Queue", tooltip="queue what the form asks for", priority=True),
        Binding("escape", "dismiss", "Back", tooltip="back; nothing is queued"),
        Binding("down", "move(1)", "Next field", show=False),
        Binding("up", "move(-1)", "Field before", show=False),
    ]

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._texts = {name: (texts or {}).get(name, "") for name in FIELDS}
        self._snapshot = Snapshot()
        self._specs: tuple[RunSpec, ...] = ()
        self._paces: Paces | None = None
        self._done = -1

    def compose(self) -> ComposeResult:
        """Fields to the left, what they amount to at the right."""
        with Horizontal(id="form-body"):
            with Vertical(id="fields", classes="panel"):  # a scroll would take the arrow keys
                yield Select(
                    [(name, str(path)) for name, path in sorted(studies_at_hand().items())],
                    prompt="a preset ...",
                    compact=True,
                    id="preset",
                )
                with Horizontal(id="field-rows"):
                    yield Static("\n".join(FIELDS), id="field-names")
                    with Vertical(id="inputs"):
                        for name in FIELDS:
                            yield Input(
                                self._texts[name],
                                placeholder=_placeholder(name),
                                suggester=_suggester(name),
                                compact=True,
                                id=f"field-{name}",
                            )
            with Vertical(id="form-side"):
                yield Static(id="field-help", classes="panel")
                with VerticalScroll(id="preview", classes="panel", can_focus=False):
                    yield Static(id="preview-text")
                yield Button("queue (f2)", id="queue", variant="primary", compact=True)
        yield KeyBar()

    def on_mount(self) -> None:
        """Names the parts and begins with the init."""
        self.query_one("#fields").border_title = "new run or study"
        self.query_one("#preview").border_title = "what will be queued"
        self.query_one("#field-init", Input).focus()
        self.check()

    def show(self, snapshot: Snapshot) -> None:
        """Knows by it which runs are there; and asks how long such runs take when one more is done."""
        self._snapshot = snapshot
        self.check()
        done = sum(run.status == "done" for run in snapshot.runs.values())
        if done != self._done:
            self._done = done
            self._program.errands.do(lambda store: read_paces(store, this_machine()), self._learn)

    def _learn(self, paces: Paces) -> None:
        self._paces = paces
        if self.is_mounted:
            self.check()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Checks the form as one types."""
        event.stop()
        self._texts[(event.input.id or "").removeprefix("field-")] = event.value
        self.check()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Goes on to the next field."""
        event.stop()
        self.focus_next()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Says what the field under the cursor is."""
        name = (event.widget.id or "").removeprefix("field-")
        if name == GRID:
            self.query_one("#field-help", Static).update(Text(_GRID_HELP))
        elif name in _META:
            self.query_one("#field-help", Static).update(_help(name))

    def on_select_changed(self, event: Select.Changed) -> None:
        """Fills the form from a preset."""
        event.stop()
        if not isinstance(event.value, str):
            return
        path = next(path for path in studies_at_hand().values() if str(path) == event.value)
        try:
            texts = form_texts(read_toml(path), path.stem)
        except RequestError as error:
            self.notify(str(error), severity="error")
            return
        self._texts = {name: texts.get(name, "") for name in FIELDS}
        with self.prevent(Input.Changed):
            for field in self.query(Input):
                field.value = self._texts[(field.id or "").removeprefix("field-")]
        self.check()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Queues by a click."""
        event.stop()
        self.action_queue()

    def check(self) -> None:
        """Reads the form, and shows what it asks for or what is wrong with it."""
        try:
            self._specs = read_form(self._texts)
        except RequestError as error:
            self._specs = ()
            preview = Text(f"✗ {error}", WARNING)
        else:
            preview = self._preview()
        self.query_one("#preview-text", Static).update(preview)
        self.query_one("#queue", Button).disabled = not self._specs

    def action_move(self, by: int) -> None:
        """Goes to the next field, or to the one before."""
        self.focus_next() if by > 0 else self.focus_previous()

    def action_queue(self) -> None:
        """Queues what the form asks for, less what the study has already, and closes it."""
        specs = self._specs
        if not specs:
            self.notify("the form has a mistake; nothing was queued", severity="error")
            return
        self._program.errands.do(lambda store: queue_missing(store, specs), self._queued)

    def _queued(self, said: str) -> None:
        self.app.notify(said)
        if self.is_current:
            self.dismiss()

    def _preview(self) -> Text:
        specs = self._specs
        known = {
            run.fingerprint
            for run in self._snapshot.runs.values()
            if run.study == specs[0].study and (run.status not in ("failed", "cancelled") or run.diverged)
        }
        missing = [spec for spec in specs if not spec.study or spec.fingerprint not in known]
        text = Text.assemble((counted(len(specs), "run"), "bold"))
        if len(missing) < len(specs):
            text.append(f", {len(specs) - len(missing)} of them done or on their way already")
        took = "being looked up" if self._paces is None else self._paces.estimate(missing)
        text.append(f"\ntime, one after another: {took}\n\n")
        labels = Counter(f"{spec.label} on {spec.dataset}" for spec in specs)
        for label, count in list(labels.items())[:_MOST_LABELS]:
            text.append("■ ", method_colour(label.rpartition(" on ")[0])).append(f"{label}  x{count}\n")
        if len(labels) > _MOST_LABELS:
            text.append(f"and {len(labels) - _MOST_LABELS} more\n", GREY)
        for spec in specs[:_MOST_COMMANDS]:
            text.append(f"\n{command_line(spec)}\n", GREY)
        return text


def queue_missing(store: Store, specs: Sequence[RunSpec]) -> str:
    """Queues runs, those of a study less what it has already; what was queued, in words.

    Raises:
        RequestError: if a file that one names is not there, or it starts from a run that came to nothing.
    """
    from agopconsole.queue import requests  # psutil is slow to import
    from agopconsole.queue.sizes import check_sizes

    for spec in specs:
        spec.check_files()
    check_sizes(specs, None)  # to count a folder's pictures takes torch
    missing = [spec for spec in specs if not spec.study or requests.find(store, spec) is None]
    ids = requests.submit(store, missing)
    if not ids:
        return "nothing to queue: all of it is done or on its way"
    words = f"queued #{ids[0]}" if len(ids) == 1 else f"queued {counted(len(ids), 'run')}, #{min(ids)} to #{max(ids)}"
    left = len(specs) - len(missing)
    return f"{words}; {left} {'is' if left == 1 else 'are'} done or on their way already" if left else words


def _placeholder(name: str) -> str:
    default = _DEFAULTS.get(name)
    return "" if default in (None, "") else f"{default}"


def _suggester(name: str) -> SuggestFromList | None:
    choices = _META.get(name, {}).get("choices", ())
    return SuggestFromList(choices) if choices else None


def _help(name: str) -> Text:
    text = Text(str(_META[name]["help"]))
    if name in SEVERAL:
        text.append("; several with commas" + (", 0-4" if name == "seed" else ""), GREY)
    if choices := _META[name]["choices"]:
        text.append(f"\n{', '.join(choices)}", GREY)
    return text
