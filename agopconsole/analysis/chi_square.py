"""Chi-square for whole degrees of freedom, in closed form, so that a report needs neither numpy nor scipy.

The probability is Abramowitz & Stegun 26.4.4 and 26.4.5.
"""

from __future__ import annotations

import math


def p_value(x: float, df: int) -> float:
    """The probability that a chi-square variable with `df` degrees of freedom is at least `x`."""
    half, odd = x / 2, df % 2
    total = math.erfc(math.sqrt(half)) if odd else 0.0
    term = math.exp(-half) * (math.sqrt(half) / math.gamma(1.5) if odd else 1.0)
    for i in range(df // 2):
        total += term
        term *= half / (i + 1 + odd / 2)
    return min(1.0, total)
