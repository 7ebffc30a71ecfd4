"""Round numbers along an axis: plain ones, times, and those of a logarithmic scale."""

from __future__ import annotations

import math

_MINUTE, _HOUR = 60.0, 3600.0
_DECADES, _FEWEST = 2.5, 3
_APART = (2.4, 6.0)
"""Rows between two ticks, at least and at most, that look well."""

_UNEVEN, _TOO_CLOSE, _ONE, _TWO = 5.0, 4.0, 12.0, 2.5
"""In rows left empty, what is as bad: ticks that are a row off, those too close, one tick, and two on a tall axis."""

_LOW, _TALL = 6, 10
"""Rows of an axis for which two ticks are enough, and of one for which they are not."""

_MOST_TICKS = 8
_MOST_EMPTY = 0.4
"""Of the rows, that may be left empty to have the ticks evenly spaced."""

_TIMES = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10800.0, 21600.0)


def round_ticks(low: float, high: float, count: int, *, whole: bool = False) -> list[float]:
    """The multiples of 1, 2 or 5 times a power of ten between `low` and `high`.

    Args:
        low: lower end of the axis.
        high: upper end of the axis, above `low`.
        count: about how many ticks are wanted.
        whole: whether only whole numbers make sense (epochs).
    """
    rough = (high - low) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((factor * power for factor in (1, 2, 5, 10)), key=lambda step: abs(math.log(step / rough)))
    if whole:
        step = max(1.0, step)
    return _multiples(low, high, step)


def row_scale(low: float, high: float, rows: int) -> tuple[float, float, list[float]]:
    """The limits of an axis of so many rows, and the round numbers along it.

    Ticks that are equally many rows apart look best, and may take limits that leave some rows empty; that is weighed
    against ticks a row off, which a tall axis hardly shows, and against few ticks.

    Args:
        low: what the lowest of the rows has to show.
        high: what the highest of them has to show, above `low`.
        rows: how many there are.
    """
    row = (high - low) / max(rows - 1, 1)
    power = 10.0 ** math.floor(math.log10(row))
    found: list[tuple[float, float, float, list[float]]] = []
    for step in (factor * power for factor in (1, 2, 5, 10, 20, 50, 100)):
        if step >= row and (ticks := _multiples(low, high, step)):
            cost = _UNEVEN * row / step * (len(ticks) > 2) + _TOO_CLOSE * (step < _APART[0] * row)
            found.append((cost + _count_cost(step / row, len(ticks), rows), low, high, ticks))
        if even := _even(low, high, rows, step):
            empty, bottom, top, apart = even
            ticks = _multiples(bottom, top, step)
            found.append((empty + _count_cost(apart, len(ticks), rows), bottom, top, ticks))
    _, low, high, ticks = min(found, key=lambda one: one[0])
    return low, high, ticks


def _even(low: float, high: float, rows: int, step: float) -> tuple[float, float, float, int] | None:
    """Limits with ticks of that step equally many rows apart: the rows left empty, both limits, the rows apart."""
    between = max(rows - 1, 1)
    for apart in range(math.floor(step * between / (high - low) + 1e-9), 1, -1):
        row = step / apart
        bottom = math.floor(low / row + 1e-9) * row
        top = bottom + between * row
        empty = between * (1 - (high - low) / (top - bottom))
        if empty > _MOST_EMPTY * rows:
            break
        if top >= high - 1e-9 * row:
            return empty, min(bottom, low), max(top, high), apart
    return None


def _count_cost(apart: float, count: int, rows: int) -> float:
    """How bad it is that there are so few or so many ticks, in rows left empty."""
    tall = min(max((rows - _LOW) / (_TALL - _LOW), 0.0), 1.0)
    few = _ONE if count < 2 else _TWO * tall if count == 2 else 0.0
    return few + 0.5 * (max(0.0, apart - _APART[1]) + max(0, count - _MOST_TICKS))


def tick_labels(ticks: list[float]) -> list[str]:
    """The ticks in words, each with as many decimals as it takes to tell them apart."""
    largest = max(map(abs, ticks), default=0.0)
    if largest >= 1e5 or (len(ticks) > 1 and largest < 1e-2 and abs(ticks[1] - ticks[0]) < 1e-3):
        return [f"{t:.3g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e") for t in ticks]
    if len(ticks) == 1:
        return [f"{ticks[0] + 0.0:.6g}"]
    step = abs(ticks[1] - ticks[0]) if ticks else 1.0
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [f"{t + 0.0:.{decimals}f}" for t in ticks]


def time_ticks(low: float, high: float, count: int) -> list[float]:
    """Round times in seconds between `low` and `high`, about `count` of them."""
    rough = (high - low) / max(count, 1)
    if rough < _TIMES[0]:
        return round_ticks(low, high, count)
    steps = [*_TIMES, *(12 * _HOUR * days for days in (1, 2, 4, 10, 20, 60, 200))]
    step = min(steps, key=lambda step: abs(math.log(step / rough)))
    return round_ticks(low, high, count) if rough > 2 * steps[-1] else _multiples(low, high, step)


def time_label(seconds: float) -> str:
    """A time in the largest unit that says it: 45s, 1:30 (minutes), 2h, 2h30."""
    if seconds < _MINUTE:
        return f"{seconds:.3g}s"
    minutes, rest = divmod(round(seconds), 60)
    if seconds < _HOUR:
        return f"{minutes}:{rest:02}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}" if minutes and hours < 100 else f"{hours}h"


def log_ticks(low: float, high: float, count: int) -> tuple[list[float], list[str]]:
    """Places and labels on a logarithmic axis from `low` to `high`, both as powers of ten.

    Whole powers over three of them or more, else 1, 2 and 5 times each, else as many round numbers as there is room
    for.
    """
    if high - low >= _DECADES:
        powers = round_ticks(low, high, count, whole=True)
        return powers, [_number(10.0**power) for power in powers]
    lowest, highest = math.floor(low), math.ceil(high)
    values = [factor * 10.0**power for power in range(lowest, highest + 1) for factor in (1, 2, 5)]
    values = [value for value in values if low <= math.log10(value) <= high]
    if len(values) >= _FEWEST:
        return [math.log10(value) for value in values], [_number(value) for value in values]
    values = [value for value in round_ticks(10.0**low, 10.0**high, count) if value > 0]
    return [math.log10(value) for value in values], tick_labels(values)


def _number(value: float) -> str:
    return f"{value:.6g}" if 1e-4 < value < 1e5 else f"{value:.0e}".replace("e+0", "e").replace("e-0", "e-")


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]
