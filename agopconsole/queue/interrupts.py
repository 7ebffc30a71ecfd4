"""The signals that ask a worker to stop, kept until it gets round to them."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupts:
    """Listens to SIGINT, SIGTERM and SIGHUP between `listen` and `deafen`; the third one is a KeyboardInterrupt.

    Attributes:
        came: those that came, in order.
    """

    def __init__(self) -> None:
        self.came: list[int] = []
        self._before: dict[int, Any] = {}

    def listen(self) -> None:
        """Takes the place of the handlers that are there."""
        for number in _SIGNALS:
            # A hang-up that is ignored, as after nohup, is meant to be.
            if signal.Signals(number).name != "SIGHUP" or signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._keep)

    def deafen(self) -> None:
        """Puts them back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _keep(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a handler's signature
        self.came.append(number)
        if len(self.came) == 3:  # a fourth would interrupt the clearing up
            raise KeyboardInterrupt
