"""What every screen of the console has in common: it says what it needs of the store, and is shown it."""

from __future__ import annotations

from textual.screen import Screen

from agopconsole.tui.snapshot import Snapshot, Wanted


class StoreScreen(Screen[None]):
    """A screen that shows snapshots."""

    def wanted(self) -> Wanted:
        """What a snapshot must hold for this screen, beside the runs."""
        return Wanted()

    def show(self, snapshot: Snapshot) -> None:
        """Shows a new snapshot."""

    def show_trouble(self, text: str) -> None:
        """Says that the store cannot be read, and why; what was read before stays."""
