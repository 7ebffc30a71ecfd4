"""Smoothing of a curve: an exponential mean whose memory is a length of x, not a number of points.

Points far apart hardly touch one another and dense ones even out, so that one setting serves a series of 20 epochs
and one of 20,000 steps. The mean is debiased (divided by the weights it has seen, as Adam's moments are, Kingma & Ba
2015): the first point stays where it is, and equal values stay equal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

LEVELS = (0.0, 0.02, 0.06, 0.15)
"""The memories on offer, as shares of the length of the whole x axis."""


def smooth(x: Sequence[float], y: Sequence[float], reach: float) -> list[float]:
    """The means of `y` up to each point, earlier ones weighted by exp(-distance / reach).

    Args:
        x: rising.
        y: as many values; one that is not finite stays as it is, and the mean passes over it.
        reach: the memory in units of x; 0 leaves everything as it is.

    Raises:
        ValueError: if x and y are not of one length.
    """
    if len(x) != len(y):
        raise ValueError(f"{len(x)} places for {len(y)} values")
    if reach <= 0 or not math.isfinite(reach):
        return list(y)
    mean, weight, last = 0.0, 0.0, 0.0
    smoothed = []
    for place, value in zip(x, y, strict=True):
        if not (math.isfinite(value) and math.isfinite(place)):
            smoothed.append(value)
            continue
        weight = weight * math.exp(-max(place - last, 0.0) / reach) + 1.0 if weight else 1.0
        difference = value - mean
        mean = mean + difference / weight if math.isfinite(difference) else mean * (1 - 1 / weight) + value / weight
        last = place
        smoothed.append(mean)
    return smoothed
