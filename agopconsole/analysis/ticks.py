"""Round numbers along an axis."""

from __future__ import annotations

import math


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
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def tick_labels(ticks: list[float]) -> list[str]:
    """The ticks in words, each with as many decimals as it takes to tell them apart."""
    if any(abs(t) >= 1e5 for t in ticks) or (len(ticks) > 1 and abs(ticks[1] - ticks[0]) < 1e-3):
        return [f"{t:.3g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e") for t in ticks]
    step = abs(ticks[1] - ticks[0]) if len(ticks) > 1 else 1.0
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [f"{t + 0.0:.{decimals}f}" for t in ticks]
