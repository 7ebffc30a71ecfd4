"""What the parts of the screen tell one another."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from textual.message import Message

from agopconsole.tui.devices import Device
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


@dataclass
class ErrandDone(Message):
    """An errand has come to its end: `then` is to be given `result`, or else `error` says why there is none."""

    then: Callable[[Any], None] | None
    result: Any
    error: str = ""


@dataclass
class Painted(Message):
    """A chart is drawn, or given up: `then` is to be given what came of it."""

    future: Future[Any]
    then: Callable[[Any], None]


@dataclass
class DevicesRead(Message):
    """How the devices of this machine fare now."""

    devices: tuple[Device, ...]

    def can_replace(self, message: Message) -> bool:
        """Only the newest figures matter."""
        return isinstance(message, DevicesRead)
