"""What a cursor at some x reads off the series of a chart."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agopconsole.analysis.series import Series


@dataclass(frozen=True, slots=True)
class Reading:
    """The point of a series that a cursor is nearest to; `y` may be a number that is not finite."""

    x: float
    y: float
    band: float | None


def read_at(series: Series, x: float, tolerance: float = 0.0) -> Reading | None:
    """The point nearest to `x`, or None where the series has not begun yet or is over.

    Args:
        series: x rising.
        x: where to read.
        tolerance: how far beyond its ends a series can still be read, beside half the distance of its points there.
    """
    if not series.x:
        return None
    right = min(max(bisect_left(series.x, x), 1), len(series.x) - 1)
    left = max(right - 1, 0)
    at = left if abs(x - series.x[left]) <= abs(series.x[right] - x) else right
    spacing = series.x[right] - series.x[left]
    inside = series.x[0] <= x <= series.x[-1]
    if not inside and abs(series.x[at] - x) > max(tolerance, spacing / 2):
        return None
    return Reading(series.x[at], series.y[at], series.band[at] if series.band is not None else None)


def next_place(series: Iterable[Series], x: float | None, by: int, least: float = 0.0) -> float | None:
    """The x of the next point of any series to the right (`by` > 0) or to the left of `x`; without one the last.

    Args:
        series: what is read.
        x: where the cursor is; None begins at the last point.
        by: the direction, 1 or -1.
        least: how far to go at least, so that a step in a dense series can be seen.
    """
    candidates = [found for one in series if (found := _next_in(one.x, x, by, least)) is not None]
    if not candidates:
        return x
    return max(candidates) if x is None or by < 0 else min(candidates)


def _next_in(places: Sequence[float], x: float | None, by: int, least: float) -> float | None:
    if x is None:
        return places[-1] if places and math.isfinite(places[-1]) else None
    if by > 0:
        first = bisect_left(places, x + least) if least > 0 else bisect_right(places, x)
        return places[first] if first < len(places) else None
    last = (bisect_right(places, x - least) if least > 0 else bisect_left(places, x)) - 1
    return places[last] if last >= 0 else None
