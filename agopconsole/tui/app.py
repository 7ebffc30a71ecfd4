"""The console as a program: it owns the reader of the store and hands its snapshots to the screens."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from agopconsole.tui.help_screen import HelpScreen
from agopconsole.tui.main_screen import MainScreen
from agopconsole.tui.messages import ChoiceChanged, OpenRun, SnapshotRead, StoreTrouble
from agopconsole.tui.reader import StoreReader
from agopconsole.tui.run_screen import RunScreen
from agopconsole.tui.snapshot import Snapshot, Wanted
from agopconsole.tui.store_screen import StoreScreen
from agopconsole.tui.theme import THEME

_PATIENCE_SECONDS = 3.0


class ConsoleApp(App[None]):
    """The console on one store.

    Args:
        store_path: the store to show.
    """

    TITLE = "agopconsole"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012 - no class variable to Textual
        (0, "-narrow"),
        (100, "-normal"),
        (160, "-wide"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "reread", "Refresh"),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("q", "quit", "Quit"),
        Binding("ctrl+s", "screenshot", "Screenshot", show=False),
    ]

    def __init__(self, store_path: Path) -> None:
        super().__init__()
        self._snapshot: Snapshot | None = None
        self._is_locked = False
        self._main = MainScreen(store_path)
        self.reader = StoreReader(store_path, self.post_message)

    def on_mount(self) -> None:
        """Puts up the main screen and begins to read."""
        self.register_theme(THEME)
        self.theme = THEME.name
        self.push_screen(self._main)
        self.set_interval(1.0, self._mind_reader)
        self.reader.start()

    def on_unmount(self) -> None:
        """Lets the reader go."""
        self.reader.stop()

    # The store

    def on_snapshot_read(self, message: SnapshotRead) -> None:
        """Shows it everywhere, and asks for what it still lacks."""
        self._snapshot = message.snapshot
        for screen in self._store_screens():
            screen.show(message.snapshot)
        self._ask()

    def on_store_trouble(self, message: StoreTrouble) -> None:
        """Says so on every screen; what was read before stays in sight."""
        for screen in self._store_screens():
            screen.show_trouble(message.text)

    def on_choice_changed(self, message: ChoiceChanged) -> None:
        """Has the numbers of the runs read that are chosen now."""
        del message
        self._ask()

    def _store_screens(self) -> list[StoreScreen]:
        return [screen for screen in self.screen_stack if isinstance(screen, StoreScreen)]

    @property
    def caught_up(self) -> bool:
        """Whether the last snapshot holds all that the screens want to show."""
        return self._snapshot is not None and self._snapshot.wanted == self._wanted()

    def _wanted(self) -> Wanted:
        """What all screens need; where there can be only one of a thing, the screen on top goes first."""
        wanted = Wanted()
        for screen in self._store_screens():
            needs = screen.wanted()
            wanted = Wanted(wanted.histories | needs.histories, needs.start or wanted.start, needs.log or wanted.log)
        return wanted

    def _ask(self) -> None:
        self.reader.want(self._wanted())

    def _mind_reader(self) -> None:
        """Says so if another process keeps the store locked; once it no longer does, reads it again to unsay it."""
        was_locked, self._is_locked = self._is_locked, self.reader.busy_seconds() > _PATIENCE_SECONDS
        if was_locked and not self._is_locked:
            self.reader.refresh()
        if self._is_locked:
            for screen in self._store_screens():
                screen.show_trouble(f"{self.reader.path.name} is locked by another process")

    # Keys

    def on_open_run(self, message: OpenRun) -> None:
        """Opens a run in full."""
        screen = RunScreen(message.run_id)
        self.push_screen(screen, callback=lambda _: self._ask())
        self.call_after_refresh(self._fill, screen)

    def _fill(self, screen: StoreScreen) -> None:
        if self._snapshot is not None:
            screen.show(self._snapshot)
        self._ask()

    def action_reread(self) -> None:
        """Reads the store again."""
        self.reader.refresh()

    def action_help(self) -> None:
        """Shows the keys."""
        self.push_screen(HelpScreen())
