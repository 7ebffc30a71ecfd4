"""The lines that say how far a download has come."""

from __future__ import annotations

import time
from collections.abc import Callable

from agopconsole.backend.data.dataset import Report

_MEGA = 1e6


class Progress:
    """Counts bytes and reports a line about once a second.

    Args:
        name: of the file.
        done: bytes that were there before.
        total: bytes of the whole file, if known.
        report: takes the lines.
        clock: seconds, rising.
    """

    def __init__(
        self, name: str, done: int, total: int | None, report: Report, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name, self._total, self._report, self._clock = name, total, report, clock
        self._before = self._done = done
        self._started = self._reported = clock()
        if done:
            report(f"{name}: going on at {done / _MEGA:,.1f} MB{self._of_total()}")

    def add(self, size: int) -> None:
        """Counts `size` more bytes."""
        self._done += size
        now = self._clock()
        if now - self._reported >= 1:
            self._reported = now
            self._report(self._line(now))

    def _of_total(self) -> str:
        return f" of {self._total / _MEGA:,.1f} MB" if self._total else ""

    def _line(self, now: float) -> str:
        rate = (self._done - self._before) / (now - self._started)
        line = f"{self._name}: {self._done / _MEGA:,.1f} MB{self._of_total()}, {rate / _MEGA:.1f} MB/s"
        if not self._total:
            return line
        line = f"{line}, {100 * self._done // self._total} %"
        return f"{line}, {_duration((self._total - self._done) / rate)} left" if rate else line


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
