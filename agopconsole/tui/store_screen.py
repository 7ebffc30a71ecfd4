"""What every screen of the console has in common: it says what it needs of the store, and is shown it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen
from textual.widgets import Static

from agopconsole.tui.devices import Device
from agopconsole.tui.snapshot import Snapshot, Wanted

if TYPE_CHECKING:
    from agopconsole.tui.app import ConsoleApp


class StoreScreen(Screen[None]):
    """A screen that shows snapshots, and in a window too small for it says so."""

    def on_mount(self) -> None:
        """Puts the words for a window that is too small above everything; the style sheet shows them."""
        self.mount(Static("too small:\n36x9 will do", classes="too-small"))

    @property
    def _program(self) -> ConsoleApp:
        from agopconsole.tui.app import ConsoleApp

        assert isinstance(self.app, ConsoleApp)
        return self.app

    def wanted(self) -> Wanted:
        """What a snapshot must hold for this screen, beside the runs."""
        return Wanted()

    def show(self, snapshot: Snapshot) -> None:
        """Shows a new snapshot."""

    def show_devices(self, devices: tuple[Device, ...]) -> None:
        """Shows how the devices fare."""

    def show_trouble(self, text: str) -> None:
        """Says that the store cannot be read, and why; what was read before stays."""
