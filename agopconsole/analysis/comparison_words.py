"""Comparisons in words: amounts with their intervals, which way is better, and what a correction leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agopconsole.analysis.contrasts import Contrast
from agopconsole.analysis.measures import Measure
from agopconsole.analysis.tables import plus_minus


@dataclass(frozen=True, slots=True)
class ComparisonWords:
    """The words of one metric."""

    measure: Measure

    def adjective(self, sign: int) -> str:
        """What a method is whose value differs from another's by something of that sign."""
        if self.measure.better is None:
            return "higher" if sign > 0 else "lower"
        return "better" if sign == self.good else "worse"

    @property
    def good(self) -> int:
        """The sign of a difference for the better; 1 where neither way is better."""
        return -1 if self.measure.better == "lower" else 1

    def amount(self, contrast: Contrast, pairs: int | None = None) -> str:
        """How far apart the two are, without the sign; with the number of seeds where it is not `pairs`."""
        found = contrast.difference
        assert found is not None
        assert found.delta is not None
        text = plus_minus(abs(found.delta), found.ci95, self.measure.digits)
        return text if found.pairs == pairs else f"{text} (n = {found.pairs})"

    def level(self, contrast: Contrast, pairs: int | None = None) -> str:
        """A difference that is not shown, with its sign, in brackets."""
        found = contrast.difference
        assert found is not None
        parts = [plus_minus(found.delta, found.ci95, self.measure.digits, sign=True)]
        # By coincidence; there is no telling what it may be off by.
        parts += ["the same in each seed"] * (found.ci95 == 0) + [f"n = {found.pairs}"] * (found.pairs != pairs)
        return f"({', '.join(parts)})"


def after_correction(named: Sequence[tuple[str, Contrast]]) -> str | None:
    """Which of the differences that their own intervals show hold however many are looked at; None without such."""
    shown = [(name, contrast) for name, contrast in named if contrast.sign]
    if not shown or shown[0][1].family < 2:
        return None
    held = [name for name, contrast in shown if contrast.holds]
    correction = f"Holm's correction of the t test for {shown[0][1].family} comparisons"
    if len(held) == len(shown):
        return f"{'this holds' if len(held) == 1 else 'all of this holds'} after {correction}"
    return (
        f"after {correction} this holds for {', '.join(held)} alone"
        if held
        else f"none of it holds after {correction}"
    )
