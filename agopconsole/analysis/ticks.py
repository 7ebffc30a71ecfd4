"""Round numbers along an axis: plain ones, times, and those of a logarithmic scale."""

from __future__ import annotations

import math

_MINUTE, _HOUR = 60.0, 3600.0
_DECADES, _FEWEST = 2.5, 3
_LEAST_APART = 2.4
"""Rows between two ticks."""

_MOST_ROOM = 0.2
"""Of the axis, that may be added to have the ticks evenly spaced."""

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


def row_ticks(low: float, high: float, rows: int) -> list[float]:
    """The round numbers along an axis of so many rows, not too close to one another to look evenly spaced."""
    return _multiples(low, high, _row_step(low, high, rows))


def even_limits(low: float, high: float, rows: int) -> tuple[float, float]:
    """The limits with a little room on either side, such that the ticks of `row_ticks` lie equally many rows apart.

    Where that takes too many of the rows, the limits stay as they are.

    Args:
        low: what the lowest of the rows shows.
        high: what the highest of them shows, above `low`.
        rows: how many there are.
    """
    step = _row_step(low, high, rows)
    most = math.floor(step * max(rows - 1, 1) / (high - low) + 1e-9)
    for apart in range(most, 0, -1):
        row = step / apart
        bottom = math.floor(low / row + 1e-9) * row
        top = bottom + max(rows - 1, 1) * row
        if top - bottom > (1 + _MOST_ROOM) * (high - low):
            break
        if top >= high - 1e-9 * row and _row_step(bottom, top, rows) == step:
            return min(bottom, low), max(top, high)
    return low, high


def _row_step(low: float, high: float, rows: int) -> float:
    row = (high - low) / max(rows - 1, 1)
    power = 10.0 ** math.floor(math.log10(row))
    steps = [factor * power for factor in (1, 2, 5, 10, 20, 50)]
    wide = next(i for i, step in enumerate(steps) if step >= _LEAST_APART * row)
    while wide:
        found = len(_multiples(low, high, steps[wide]))
        if found >= _FEWEST or (found > 1 and steps[wide - 1] < row):
            break
        wide -= 1
    return steps[wide]


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
