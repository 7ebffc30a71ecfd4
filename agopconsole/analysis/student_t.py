"""Student's t for whole degrees of freedom, in closed form, so that a report needs neither numpy nor scipy.

The probability is Abramowitz & Stegun 26.7.3 and 26.7.4; the critical value inverts it by bisection.
"""

from __future__ import annotations

import math
from functools import cache


@cache
def critical_value(df: int, level: float = 0.95) -> float:
    """The t that |T| of Student's distribution with `df` degrees of freedom stays below with probability `level`."""
    low, high = 0.0, math.pi / 2
    # Bisecting the angle keeps the search finite however heavy the tails; 64 halvings exhaust a float.
    for _ in range(64):
        middle = (low + high) / 2
        if _central_probability(middle, df) < level:
            low = middle
        else:
            high = middle
    return math.sqrt(df) * math.tan(high)


def p_value(t: float, df: int) -> float:
    """The probability that |T| of Student's distribution with `df` degrees of freedom is at least |t|."""
    return max(0.0, 1.0 - _central_probability(math.atan(abs(t) / math.sqrt(df)), df))


def _central_probability(angle: float, df: int) -> float:
    """P(|T| <= t) for t = sqrt(df) tan(angle), with `df` degrees of freedom."""
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = df % 2
    term = cosine if odd else 1.0
    total = 0.0
    for k in range(odd, df - 1, 2):
        total += term
        term *= cosine * cosine * (k + 1) / (k + 2)
    return 2 / math.pi * (angle + sine * total) if odd else sine * total
