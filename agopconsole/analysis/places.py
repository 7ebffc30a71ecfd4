"""Where the epochs and steps of a run lie on an x axis of epochs, of steps or of time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from agopconsole.analysis.view import XKind
from agopconsole.metrics import EpochMetrics


class Places:
    """The places of one run's numbers.

    Time is that of training and evaluation, which an epoch's seconds tell: within an epoch it passes evenly, and
    after the last one as it did in that.

    Args:
        history: the epochs of the run in order, from the first on.
        x: what the axis counts.
    """

    def __init__(self, history: Sequence[EpochMetrics], x: XKind) -> None:
        self._x = x
        self._steps_an_epoch = history[-1].step / history[-1].epoch if history else math.nan
        self._times = [0.0, *itertools.accumulate(epoch.seconds for epoch in history)] if x == "time" else []

    def of_epoch(self, epoch: float) -> float:
        """The end of an epoch, or where that share of one is over; NaN where nothing tells."""
        if self._x == "epoch":
            return epoch
        if self._x == "step":
            return epoch * self._steps_an_epoch
        last = len(self._times) - 1
        if last < 1 or not math.isfinite(epoch):
            return math.nan
        before = min(math.floor(epoch), last - 1)
        begun, over = self._times[before : before + 2]
        return begun + (epoch - before) * (over - begun)

    def of_step(self, step: int) -> float:
        """The end of a step; NaN before the first epoch is over, unless steps are what the axis counts."""
        return float(step) if self._x == "step" else self.of_epoch(step / self._steps_an_epoch)
