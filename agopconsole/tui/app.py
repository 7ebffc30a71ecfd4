"""The console as a program: it owns the reader of the store and hands its snapshots to the screens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual.actions import parse
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.events import Event, InputEvent
from textual.filter import LineFilter
from textual.screen import Screen

from agopconsole.store import Store
from agopconsole.tui.collector import Collector
from agopconsole.tui.commands import commands
from agopconsole.tui.devices import Device, DeviceReader, read_devices
from agopconsole.tui.errands import Errands
from agopconsole.tui.help_screen import HelpScreen
from agopconsole.tui.jump_screen import JumpScreen
from agopconsole.tui.main_screen import MainScreen
from agopconsole.tui.messages import (
    ChoiceChanged,
    DevicesRead,
    ErrandDone,
    OpenRun,
    Painted,
    SnapshotRead,
    StoreTrouble,
)
from agopconsole.tui.painter import Painter
from agopconsole.tui.preferences import load, save
from agopconsole.tui.reader import StoreReader
from agopconsole.tui.run_screen import RunScreen
from agopconsole.tui.screen_picture import with_pixels
from agopconsole.tui.snapshot import Snapshot, Wanted
from agopconsole.tui.store_screen import StoreScreen
from agopconsole.tui.terminal import AsciiFilter
from agopconsole.tui.theme import DARK, LIGHT
from agopconsole.tui.worker_keeper import WorkerKeeper

_PATIENCE_SECONDS = 3.0


class ConsoleApp(App[None]):
    """The console on one store.

    Args:
        store_path: the store to show.
        data: folder of the data sets, for what the console has computed; None for the user's own.
        preferences: where what the user has set up is kept; None keeps nothing.
        light: whether the terminal's ground is light.
        unicode: whether the terminal can show more than ASCII.
        devices: reads the devices of this machine.
        start_worker: starts a worker where none is alive, and says whether it did; None to leave that.
    """

    TITLE = "agopconsole"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012 - no class variable to Textual
        (0, "-tiny"),
        (36, "-narrow"),
        (100, "-normal"),
        (160, "-wide"),
    ]
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-flat"), (9, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("colon", "command_palette", "Commands", key_display=":", tooltip="every command by its name"),
        Binding("f", "jump", "Jump", show=False, tooltip="jump: a letter on every part, the letter goes there"),
        Binding("t", "theme", "Light or dark", show=False, tooltip="light or dark"),
        Binding("i", "screenshot", "Screenshot", show=False, tooltip="save a picture of the screen (SVG)"),
        Binding("f5", "reread", "Refresh", show=False, tooltip="read the store again"),
        Binding("question_mark", "help", "Help", key_display="?", tooltip="this page"),
        Binding("q", "quit", "Quit", tooltip="quit; the worker goes on"),
    ]

    def __init__(
        self,
        store_path: Path,
        *,
        data: Path | None = None,
        preferences: Path | None = None,
        light: bool = False,
        unicode: bool = True,
        devices: Callable[[], tuple[Device, ...]] = read_devices,
        start_worker: Callable[[Store], bool] | None = None,
    ) -> None:
        super().__init__()
        self._snapshot: Snapshot | None = None
        self._devices: tuple[Device, ...] = ()
        self._trouble = False
        self._is_locked = False
        self._terminal_is_light = light
        self._ascii = [] if unicode else [AsciiFilter()]
        self._preferences_path = preferences
        self.preferences = load(preferences)
        self.store_path = store_path
        self.data = data
        self._main = MainScreen(store_path)
        self.reader = StoreReader(store_path, self.post_message)
        self.errands = Errands(store_path, self.post_message)
        self.painter = Painter(self.post_message)
        self._collector = Collector()
        self._keeper = WorkerKeeper(self.errands, start_worker, self._say)
        self._device_reader = DeviceReader(devices, lambda found: self.post_message(DevicesRead(found)))

    async def on_mount(self) -> None:
        """Puts up the main screen and begins to read."""
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        wanted = self.preferences.theme
        self.theme = (LIGHT if wanted == "light" or (wanted == "auto" and self._terminal_is_light) else DARK).name
        await self.push_screen(self._main)
        self.set_interval(1.0, self._mind)
        self._collector.begin()
        self.reader.start()
        self.errands.start()
        self._device_reader.start()
        self._keeper.begin()

    def on_unmount(self) -> None:
        """Lets the threads go."""
        self.reader.stop()
        self.painter.stop()
        self._device_reader.stop()
        self._collector.end()

    # The store

    def on_snapshot_read(self, message: SnapshotRead) -> None:
        """Shows it everywhere, and asks for what it still lacks."""
        self._snapshot, self._trouble = message.snapshot, False
        for screen in self._store_screens():
            screen.show(message.snapshot)
        self._ask()

    def on_store_trouble(self, message: StoreTrouble) -> None:
        """Says so on every screen; what was read before stays in sight."""
        self._trouble = True
        for screen in self._store_screens():
            screen.show_trouble(message.text)

    def on_devices_read(self, message: DevicesRead) -> None:
        """Shows how the devices fare."""
        self._devices = message.devices
        for screen in self._store_screens():
            screen.show_devices(message.devices)

    def on_errand_done(self, message: ErrandDone) -> None:
        """Hands on what came of it, or says why nothing did; the store has changed perhaps."""
        if message.then is not None:
            message.then(message.result)
        else:
            self.notify(message.error, severity="error", timeout=8)
        self.reader.poke()

    def on_painted(self, message: Painted) -> None:
        """Shows a chart that is drawn."""
        self.painter.hand_over(message)
        if self._snapshot is not None:
            self._collector.spare(len(self._snapshot.runs))

    def on_choice_changed(self, message: ChoiceChanged) -> None:
        """Has the numbers of the runs read that are chosen now."""
        del message
        self._ask()

    def _store_screens(self) -> list[StoreScreen]:
        """The screens that can be asked: timers go on while a screen is put up or, at the end, taken down."""
        return [s for s in self.screen_stack if isinstance(s, StoreScreen) and s.is_mounted and s.display]

    @property
    def caught_up(self) -> bool:
        """Whether the last snapshot holds all that the screens want to show, and what it holds is drawn."""
        return self._snapshot is not None and self._snapshot.wanted == self._wanted() and self.painter.idle

    @property
    def settled(self) -> bool:
        """Whether there is nothing more to wait for: all is shown, or why nothing can be."""
        return (self.caught_up or self._trouble) and bool(self._devices)

    def _wanted(self) -> Wanted:
        """What all screens need; where there can be only one of a thing, the screen on top goes first."""
        wanted = Wanted()
        for screen in self._store_screens():
            wanted = wanted.and_also(screen.wanted())
        return wanted

    def _ask(self) -> None:
        self.reader.want(self._wanted())

    def _mind(self) -> None:
        """Says so if another process keeps the store locked; once it no longer does, reads it again to unsay it.

        What the screens want is asked for as well, should it have changed without a word.
        """
        self._ask()
        self._keeper.mind(self._snapshot)
        self._collector.rest()
        was_locked, self._is_locked = self._is_locked, self.reader.busy_seconds() > _PATIENCE_SECONDS
        if was_locked and not self._is_locked:
            self.reader.refresh()
        if self._is_locked:
            for screen in self._store_screens():
                screen.show_trouble(f"{self.reader.path.name} is locked by another process")

    def _say(self, text: str, is_error: bool) -> None:
        self.notify(text, severity="error" if is_error else "information", timeout=8)

    # Keys

    async def on_event(self, event: Event) -> None:
        """Takes note that the user is at work."""
        if isinstance(event, InputEvent):
            self._collector.wait()
        await super().on_event(event)

    def on_open_run(self, message: OpenRun) -> None:
        """Opens a run in full."""
        self.open_screen(RunScreen(message.run_id))

    def open_screen(self, screen: StoreScreen) -> None:
        """Puts a screen on top, and shows it what is known."""
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
        self.push_screen(HelpScreen(commands(self.screen)))

    def action_jump(self) -> None:
        """Puts a letter on every part that can be focused."""
        chain = [widget for widget in self.screen.focus_chain if widget.region.area]
        self.push_screen(JumpScreen(chain), callback=lambda target: target.focus() if target is not None else None)

    def action_screenshot(self, filename: str | None = None, path: str | None = None) -> None:
        """Saves a picture where the console was started: a server has no folder for downloads."""
        try:
            self.notify(f"saved as {self.save_screenshot(filename, path or '.')}")
        except OSError as error:
            self.notify(f"no picture was saved: {error.strerror}", severity="error")

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """The screen as SVG, its pictures in pixels."""
        return with_pixels(super().export_screenshot(title=title, simplify=simplify))

    def action_theme(self) -> None:
        """Changes between light and dark."""
        theme = DARK if self.theme == LIGHT.name else LIGHT
        self.theme = theme.name
        self.prefer(theme="dark" if theme is DARK else "light")

    def prefer(self, **changes: Any) -> None:
        """Keeps a choice for the sessions to come."""
        self.preferences = replace(self.preferences, **changes)
        save(self._preferences_path, self.preferences)

    @property
    def draws_pictures(self) -> bool:
        """Whether the terminal has colours, and more than ASCII."""
        return not (self._ascii or self.no_color)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own, and one that draws in ASCII where the terminal knows nothing else."""
        return [*super().get_line_filters(), *self._ascii]

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the command palette offers: all that the keys do now."""
        for command in commands(screen):
            _, action, parameters = parse(command.action)
            if not command.node.check_action(action, parameters):
                continue
            run = partial(self.run_action, command.action, command.node)
            yield SystemCommand(f"{command.title}  ({command.keys})", command.about, run)
