"""What one search for a method's best settings is: the table `tune` of a study, and the settings it is held at."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from agopconsole.errors import RequestError, unknown_choice
from agopconsole.spec import RunSpec
from agopconsole.spec_fields import MOST

TUNED = ("lr", "weight_decay", "momentum")
"""The fields that can be tuned."""

_USUAL: dict[str, tuple[float, float]] = {"lr": (1e-4, 1e-1), "weight_decay": (1e-6, 1e-2), "momentum": (0.5, 0.99)}
_LOGARITHMIC = ("lr", "weight_decay")
_USUAL_TRIALS = 20
MOST_TRIALS = 100_000


@dataclass(frozen=True, slots=True)
class Span:
    """The values of a field that are tried.

    Attributes:
        low, high: the least and the greatest.
        logarithmic: whether a factor counts rather than a difference.
    """

    low: float
    high: float
    logarithmic: bool

    def holds(self, value: float) -> bool:
        """Whether the value is one of them."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Tuning:
    """A search.

    Attributes:
        trials: how many settings of each method are tried.
        spans: the fields that are tuned.
    """

    trials: int
    spans: Mapping[str, Span]

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> Tuning:
        """The search that the table `tune` of a study asks for; without a span all fields are tuned over usual ones.

        Raises:
            RequestError: if a key is unknown, or a value is no span of its field.
        """
        for key in table:
            if key not in ("trials", *TUNED):
                raise unknown_choice("key of tune", key, ("trials", *TUNED))
        given = {name: table[name] for name in TUNED if name in table} or _USUAL
        spans = {name: _span(name, value) for name, value in given.items()}
        return cls(check_trials(table.get("trials", _USUAL_TRIALS)), spans)


def check_trials(trials: Any) -> int:
    """A number of trials.

    Raises:
        RequestError: if it is none.
    """
    if not isinstance(trials, int) or isinstance(trials, bool) or not 1 <= trials <= MOST_TRIALS:
        raise RequestError(f"trials must be a whole number, 1 to {MOST_TRIALS}")
    return trials


def _span(name: str, value: Any) -> Span:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise RequestError(f"{name} of tune must be its least and its greatest value, as in {list(_USUAL[name])}")
    low, high = (getattr(RunSpec.parse({name: number}), name) for number in value)
    if not low < high:
        raise RequestError(f"{name} of tune must be its least and its greatest value, as in {list(_USUAL[name])}")
    logarithmic = name in _LOGARITHMIC
    if logarithmic and not low > 0:
        raise RequestError(f"{name} of tune must be above 0: it is tried on a logarithmic scale")
    return Span(low, high, logarithmic)


def cells(runs: Sequence[RunSpec], tuning: Tuning) -> list[RunSpec]:
    """What is tuned for itself: each method under each recipe, whatever its seed and the fields that are tuned.

    A cell holds the study's own values of these fields, of its first run.
    """
    found: dict[RunSpec, RunSpec] = {}
    defaults: dict[str, Any] = {f.name: f.default for f in fields(RunSpec) if f.name in tuning.spans}
    for run in runs:
        found.setdefault(replace(run, seed=0, **defaults), replace(run, seed=0))
    return list(found.values())


def trial_seed(runs: Sequence[RunSpec]) -> int:
    """A seed that no run of the study has, so that none is compared on what it was tuned on."""
    seeds = {run.seed for run in runs}
    after = max(seeds) + 1
    return after if after <= MOST else next(seed for seed in itertools.count() if seed not in seeds)
