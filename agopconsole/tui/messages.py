"""What the parts of the screen tell one another."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from agopconsole.tui.snapshot import Snapshot


@dataclass
class SnapshotRead(Message):
    """The reader has read the store anew."""

    snapshot: Snapshot

    def can_replace(self, message: Message) -> bool:
        """A newer snapshot makes one that still waits in the queue pointless."""
        return isinstance(message, SnapshotRead)


@dataclass
class StoreTrouble(Message):
    """The store cannot be read at present; `text` says why."""

    text: str

    def can_replace(self, message: Message) -> bool:
        """Trouble that still waits in the queue is said once."""
        return isinstance(message, StoreTrouble)


class ChoiceChanged(Message):
    """Cursor or selection stand on other runs than before."""


@dataclass
class OpenRun(Message):
    """The user wants to see one run in full."""

    run_id: int
