"""Keeps the garbage collector from what lives as long as the console does.

A full collection looks at every object that the collector knows: with the modules of the console and the records of
thousands of runs that takes 50 ms, in the middle of whatever key is being pressed. What there is once the first chart
is drawn is no garbage, so it is put out of the collector's sight, and again whenever the runs have doubled.
"""

from __future__ import annotations

import gc

_MANY = 1000
"""Runs fewer than this are nothing to the collector."""


class LongLived:
    """What the collector no longer looks at."""

    def __init__(self) -> None:
        self._next = 0

    def mind(self, runs: int) -> None:
        """Puts all that there is out of sight if there are many more runs than when that was last done."""
        if runs >= self._next:
            gc.freeze()
            self._next = max(2 * runs, _MANY)

    def release(self) -> None:
        """Gives it back to the collector."""
        gc.unfreeze()
