"""Has garbage collected while nobody waits for the console.

A full collection looks at every object that the collector knows. With the modules of the console, the records of
thousands of runs and what closed screens have left that takes 50 to 80 ms, in the middle of whatever key is pressed.
So what lives as long as the console is put out of the collector's sight, and the rest is looked at in pauses.
"""

from __future__ import annotations

import gc
import time

_MANY = 1000
"""Runs fewer than this are nothing to the collector."""

_PAUSE_SECONDS = 2.0
"""Without a key for so long, the next one is not near."""

_DUE = 10
"""Collections of young objects after which Python itself makes a full one."""

_OVERDUE = 100
"""As many without a pause, and a full one is made all the same."""


class Collector:
    """Python's garbage collector, for as long as the console is open."""

    def __init__(self) -> None:
        self._usual = gc.get_threshold()
        self._many = 0
        self._last_key = 0.0

    def begin(self) -> None:
        """Leaves full collections to the pauses."""
        gc.set_threshold(*self._usual[:2], _OVERDUE)

    def spare(self, runs: int) -> None:
        """Puts all that there is now out of sight, if there are many more runs than when that was last done."""
        if runs >= self._many:
            gc.freeze()
            self._many = max(2 * runs, _MANY)

    def wait(self) -> None:
        """The user is at work."""
        self._last_key = time.monotonic()

    def rest(self) -> None:
        """Makes a full collection if one is due and nobody waits; to be called now and then."""
        if gc.get_count()[2] >= _DUE and time.monotonic() - self._last_key > _PAUSE_SECONDS:
            gc.collect()

    def end(self) -> None:
        """Leaves all to Python again."""
        gc.set_threshold(*self._usual)
        gc.unfreeze()
