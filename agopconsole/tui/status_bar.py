"""The line at the top: which store, is it worked on, how far is it, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rich.text import Text
from textual.widgets import Static

from agopconsole.analysis.colours import GREY, WARNING
from agopconsole.store import utc_now
from agopconsole.tui.queue_state import QueueState, queue_state
from agopconsole.tui.snapshot import Snapshot
from agopconsole.tui.theme import CAUTION, GOOD
from agopconsole.tui.words import duration
from agopconsole.wording import counted

_COUNTED = ("running", "queued", "waiting", "paused", "diverged", "failed", "done", "cancelled")


class StatusBar(Static):
    """One line; it goes with the clock, since a worker dies without a word.

    Args:
        store_path: the store.
        now: the time in UTC, ISO 8601.
    """

    def __init__(self, store_path: Path, *, now: Callable[[], str] = utc_now, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._path = store_path
        self._now = now
        self._snapshot: Snapshot | None = None
        self._drawn = Text("")
        self.trouble = ""

    def on_mount(self) -> None:
        """Starts the clock."""
        self.set_interval(1.0, self.redraw)
        self.redraw()

    def on_resize(self) -> None:
        """Fits the line to the new width."""
        self.redraw()

    def show(self, snapshot: Snapshot) -> None:
        """Shows the state of the queue; whatever the trouble was, it is over."""
        self._snapshot, self.trouble = snapshot, ""
        self.redraw()

    def show_trouble(self, text: str) -> None:
        """Says why the store cannot be read."""
        self.trouble = text
        self.redraw()

    def redraw(self) -> None:
        """Words the line anew."""
        left = Text.assemble(("agopconsole", "bold"), "  ", (str(self._path.name), GREY))
        if self.trouble:
            right = Text(f"✗ {self.trouble}", WARNING)
        elif self._snapshot is None:
            right = Text("reading ...", GREY)
        else:
            room = self.size.width - left.cell_len - 4
            alive = sum(lives for _, lives in self._snapshot.workers)
            dead = len(self._snapshot.workers) - alive
            state = queue_state(self._snapshot.queue, self._now(), worker=True if alive else None)
            right = _state_line(state, room, alive=alive, dead=dead, paused=self._snapshot.queue_paused)
        right.truncate(max(self.size.width - left.cell_len - 4, 0), overflow="ellipsis")
        space = max(self.size.width - left.cell_len - right.cell_len - 2, 1)
        line = Text.assemble(" ", left, " " * space, right, no_wrap=True)
        if line != self._drawn:  # the clock asks every second, and seldom for anything new
            self._drawn = line
            self.update(line, layout=False)


def _state_line(state: QueueState, room: int, *, alive: int = 0, dead: int = 0, paused: bool = False) -> Text:
    """The worker, the counts, and if there is room the time that is left."""
    parts = [_worker(state, alive, dead)]
    if paused:
        parts.append(Text("‖ queue paused", CAUTION))
    parts += [
        Text(f"{state.counts[status]} {status}", WARNING if status in ("diverged", "failed") else "")
        for status in _COUNTED
        if state.counts[status]
    ]
    if state.remaining_seconds is not None and state.remaining_seconds >= 1:
        parts.append(Text(f"about {duration(state.remaining_seconds)} left"))
    joint = Text(" · ", GREY)
    line = joint.join(parts)
    while line.cell_len > room and len(parts) > 2:
        del parts[-1]
        line = joint.join(parts)
    return line


def _worker(state: QueueState, alive: int, dead: int) -> Text:
    if alive > 1:
        return Text.assemble(("● ", GOOD), f"{counted(alive, 'worker')} on")
    if dead and not alive:
        return Text("✗ the worker died", WARNING)
    if state.is_worked_on:
        return Text.assemble(("● ", GOOD), "worker on")
    if state.silent_seconds is not None:
        return Text(f"● worker silent for {duration(state.silent_seconds)}", CAUTION)
    return Text("○ no worker", CAUTION) if state.still_open else Text("○ idle", GREY)
