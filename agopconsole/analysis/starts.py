"""How the runs of a method start: the worst layer's outputs and what the last layer still tells apart.

Groups of runs in; for each what its networks were before they trained, over the seeds, out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from agopconsole.analysis.groups import Group
from agopconsole.catalogue import MODELS
from agopconsole.store import StartSums, Store

HEALTHY = 2.0
"""The mean square of the outputs that Kaiming's start keeps from layer to layer (He et al. 2015)."""

_LEAST, _MOST_LOG = 1e-300, 690.0
"""Bounds within which a mean square and its logarithm are numbers that can be had from one another."""


@dataclass(frozen=True, slots=True)
class Start:
    """The start of a method's runs.

    Attributes:
        runs: how many of them are known.
        output_mean_square: of the layer that is furthest from `HEALTHY`, as a ratio; geometric mean over the runs,
            infinite where one was not finite.
        participation_ratio: in how many directions the images differ at the last layer; mean over the runs.
    """

    runs: int
    output_mean_square: float
    participation_ratio: float

    def as_dict(self) -> dict[str, Any]:
        """The start as part of a flat row."""
        return {
            "start_runs": self.runs,
            "start_output_mean_square": self.output_mean_square if self.runs else None,
            "start_participation_ratio": self.participation_ratio if self.runs else None,
        }


NO_START = Start(0, math.nan, math.nan)


def find_starts(store: Store, groups: Sequence[Group]) -> list[Start]:
    """The start of each group; `NO_START` where none of its runs has one.

    The layers looked at are the network's convolutions, or where there are none to speak of all but its head.
    """
    by_model: dict[str, list[int]] = {}
    for group in groups:
        by_model.setdefault(group.settings["model"], []).extend(run.id for run in group.runs)
    sums = {
        run_id: found
        for model, ids in by_model.items()
        for run_id, found in store.start_sums(ids, _layers(model)).items()
    }
    return [_start([sums[run.id] for run in group.runs if run.id in sums]) for group in groups]


def _layers(model: str) -> tuple[str, ...]:
    facts = MODELS.get(model)
    if facts is None:
        return ()
    return facts.convolutions if len(facts.convolutions) > 1 else (*facts.convolutions, *facts.others)[:-1]


def _start(sums: Sequence[StartSums]) -> Start:
    if not sums:
        return NO_START
    # Of two numbers the greater is further from `HEALTHY`, as a ratio, if their geometric mean lies above it.
    worst = [one.most if one.least * one.most >= HEALTHY**2 else one.least for one in sums]
    mean = fmean(math.log(max(value, _LEAST)) for value in worst)
    return Start(
        len(sums), math.exp(mean) if mean < _MOST_LOG else math.inf, fmean(s.participation_ratio for s in sums)
    )


def say_mean_square(mean_square: float | None) -> str:
    """A mean square of outputs to three digits, whatever its size; nothing where it is not known."""
    if mean_square is None:
        return ""
    if math.isinf(mean_square):
        return "infinity"
    if 1000 <= mean_square < 1e12:
        return f"{float(f'{mean_square:.3g}'):,.0f}"
    return f"{mean_square:.3g}"
