"""Which method ranks where over several data sets.

The means of a report in; each method's mean rank, and whether the ranks differ by more than chance, out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agopconsole.analysis import chi_square
from agopconsole.analysis.measures import Better


@dataclass(frozen=True, slots=True)
class Ranks:
    """The ranks of the methods that were run on every data set.

    Attributes:
        blocks: number of data sets (under one recipe each).
        mean_rank: by method, 1 for one that is best everywhere; from the best to the worst.
        p_value: of Friedman's test that no method differs from another; None below three methods or blocks, where it
            says nothing.
    """

    blocks: int
    mean_rank: dict[str, float]
    p_value: float | None


def rank_methods(blocks: Sequence[Mapping[str, float | None]], better: Better | None) -> Ranks | None:
    """Ranks the methods within each block and averages the ranks (Friedman 1937; Demsar 2006).

    Args:
        blocks: for each data set the mean by method; None where every run diverged or failed, which ranks last.
        better: which way is better.

    Returns:
        None below two blocks or two methods in common, or where neither way is better.
    """
    common = [name for name in blocks[0] if all(name in block for block in blocks)] if blocks else []
    if better is None or len(blocks) < 2 or len(common) < 2:
        return None
    sign = -1.0 if better == "higher" else 1.0
    scores = [[math.inf if (mean := block[name]) is None else sign * mean for name in common] for block in blocks]
    ranks = [_ranked(row) for row in scores]
    mean_rank = {name: sum(row[i] for row in ranks) / len(ranks) for i, name in enumerate(common)}
    return Ranks(len(blocks), dict(sorted(mean_rank.items(), key=lambda item: item[1])), _friedman(ranks))


def _ranked(scores: Sequence[float]) -> list[float]:
    """The ranks from 1, the lowest score first; equal scores share the mean of their ranks."""
    return [1 + sum(other < score for other in scores) + (scores.count(score) - 1) / 2 for score in scores]


def _friedman(ranks: Sequence[Sequence[float]]) -> float | None:
    """The p-value of Friedman's chi-square, corrected for ties (Conover 1999, section 5.8)."""
    blocks, methods = len(ranks), len(ranks[0])
    if blocks < 3 or methods < 3 or all(len(set(row)) == 1 for row in ranks):
        return None
    expected = blocks * (methods + 1) / 2
    spread = sum((sum(of_method) - expected) ** 2 for of_method in zip(*ranks, strict=True))
    within = sum(rank * rank for row in ranks for rank in row) - expected * methods * (methods + 1) / 2
    return chi_square.p_value((methods - 1) * spread / within, methods - 1)
