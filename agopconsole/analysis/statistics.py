"""Means and paired differences over seeds, each with what it may be off by.

Numbers by seed in, a mean or a difference out. Seeds pair two methods (same split, same batches, same classifier),
so a difference is taken seed by seed: what a seed does to both drops out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from agopconsole.analysis import student_t
from agopconsole.analysis.student_t import critical_value

_GRID = 1 << 14
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over seeds.

    Attributes:
        n: number of seeds.
        mean: None without any.
        std: standard deviation of a single seed (n - 1 in the denominator); None below two seeds.
        ci95: half the width of the 95 % t interval of the mean; None below two seeds.
    """

    n: int
    mean: float | None
    std: float | None
    ci95: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean difference over the seeds that two methods share.

    Attributes:
        pairs: number of those seeds.
        delta: None without any.
        ci95: half the width of the 95 % t interval of `delta`; None below two pairs.
        p_value: of the two-sided sign-flip test, never below `smallest_p_value`; None below two pairs.
        t_p_value: of the paired t test, which is below 0.05 where `ci95` leaves 0 out; None below two pairs, or where
            all differences are equal.
        effect_size: `delta` in standard deviations of the difference (Cohen's d_z); None where `t_p_value` is.
    """

    pairs: int
    delta: float | None
    ci95: float | None
    p_value: float | None
    t_p_value: float | None
    effect_size: float | None

    @property
    def shown(self) -> bool:
        """Whether the interval leaves 0 out."""
        return leaves_zero_out(self.delta, self.ci95)

    def verdict(self, other: str) -> str:
        """What may be said of the difference to `other`, in words."""
        if self.pairs < 2:
            return f"no verdict without two seeds in common with {other}"
        if not self.shown:
            return f"no difference to {other} shown at n = {self.pairs}"
        assert self.delta is not None
        return f"{'higher' if self.delta > 0 else 'lower'} than {other} at n = {self.pairs}"


def summarise(values: Sequence[float]) -> Mean:
    """The mean of one value a seed, with its 95 % interval."""
    n = len(values)
    if n < 2:
        return Mean(n, values[0] if values else None, None, None)
    mean = fmean(values)
    # In two passes, each sum rounded once: as exact as `statistics.stdev` for accuracies, and ten times as fast.
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    if spread < _ROUNDING * max(map(abs, values)):
        spread = 0.0  # equal but for what a subtraction of floats leaves, which must not pass for certainty
    return Mean(n, mean, spread, critical_value(n - 1) * spread / math.sqrt(n))


def compare(values: Mapping[int, float], reference: Mapping[int, float]) -> Difference:
    """The difference of two methods, paired by seed; a seed that only one of them has plays no part."""
    differences = [values[seed] - reference[seed] for seed in sorted(values.keys() & reference.keys())]
    mean = summarise(differences)
    p_value = sign_flip_p_value(differences) if mean.n > 1 else None
    effect_size = mean.mean / mean.std if mean.mean is not None and mean.std else None
    t_p_value = None if effect_size is None else student_t.p_value(effect_size * math.sqrt(mean.n), mean.n - 1)
    return Difference(mean.n, mean.mean, mean.ci95, p_value, t_p_value, effect_size)


def smallest_p_value(pairs: int) -> float:
    """What the sign-flip test gives at least for that many pairs, however far the two methods are apart."""
    return 2.0 ** (1 - pairs)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """The p-values adjusted for their number, so that one below 0.05 in the whole family is a finding.

    The smallest of m is multiplied by m, the next by m - 1, and so on, none falling below the one before (Holm 1979,
    "A simple sequentially rejective multiple test procedure"). None stays None and does not count.
    """
    family = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    bar = 0.0
    for rank, (p, i) in enumerate(family):
        bar = max(bar, min(1.0, p * (len(family) - rank)))
        adjusted[i] = bar
    return adjusted


def leaves_zero_out(delta: float | None, ci95: float | None) -> bool:
    """Whether `delta` ± `ci95` does not reach 0; a width of exactly 0 is a coincidence, and no proof."""
    return delta is not None and ci95 is not None and 0 < ci95 < abs(delta)


def sign_flip_p_value(differences: Sequence[float]) -> float:
    """Two-sided p-value of the hypothesis that each difference could as well have had the other sign.

    It is the share of all 2^n sign flips whose sum is at least as far from 0 as the sum observed. They are counted,
    not sampled: rounded to a fine grid, the sums have a generating function that n products give (Pagano and
    Tritchler 1983). Sums that the grid cannot tell apart count as equal.
    """
    n = len(differences)
    unit = sum(map(abs, differences)) / _GRID
    if unit == 0:
        return 1.0
    steps = [round(abs(d) / unit) for d in differences]
    positive = sum(step for step, d in zip(steps, differences, strict=True) if d > 0)
    observed = max(positive, sum(steps) - positive)
    # The polynomial prod(1 + x^step) lives in one integer, `bits` a coefficient: the coefficient of x^k is the number
    # of flips whose positive part is k, which is that of those whose negative part is k. So the flips that are far
    # enough out are those of the low powers, and no other coefficient is ever needed. Modulo 2^bits - 1 such an
    # integer is the sum of its coefficients.
    bits = n + 1
    powers = sum(steps) - max(0, observed - math.isqrt(n)) + 1
    needed = (1 << bits * powers) - 1
    flips = 1
    for step in steps:
        flips += (flips << bits * step) & needed
    upper = flips % ((1 << bits) - 1)
    return min(1.0, upper / (1 << n - 1))
