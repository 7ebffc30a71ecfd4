"""Why a run stands as it does: its own error, that of the source it starts from, and what its start foretold."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from agopconsole.metrics import LayerStart
from agopconsole.store import RunRecord
from agopconsole.tui.layer_table import SOUND_COMMON_MODE, SOUND_OUTPUTS, SOUND_PARTICIPATION
from agopconsole.tui.words import compact


def causes(run: RunRecord, runs: Mapping[int, RunRecord], start: Sequence[LayerStart]) -> list[str]:
    """What went wrong, a line each, the nearest cause first; nothing of a run that is well.

    Args:
        run: the run.
        runs: all of them by id.
        start: the start of this run's network; empty if it is not known.
    """
    lines = [run.error] if run.error else []
    if run.status != "done":
        lines += _of_source(run, runs)
    if run.status == "failed" and run.deaths:
        lines.append(f"its process died {run.deaths} time{'s' * (run.deaths > 1)} since the last whole epoch")
    if run.at_chance and not run.diverged:
        lines.append("it never left chance")
    if run.diverged or run.at_chance:
        lines += [f"its start: {warning}" for warning in warnings(start)]
    return lines


def _of_source(run: RunRecord, runs: Mapping[int, RunRecord]) -> Iterator[str]:
    """Where the source of a run stands, and if that has one, where that does; an error is not said twice."""
    seen, said = {run.id}, run.error or ""
    while run.source_run is not None and run.source_run in runs and run.source_run not in seen:
        run = runs[run.source_run]
        seen.add(run.id)
        if run.status != "done":
            error = f": {run.error}" if run.error and run.error not in said else ""
            yield f"its source {run.title}: {run.status}, epoch {run.epoch}/{run.epochs}{error}"
            said += run.error or ""


@dataclass(frozen=True, slots=True)
class _Sign:
    """A measure of a start beyond what is sound: which one, when, its worst value, and how that reads."""

    name: str
    measure: str
    is_unsound: Callable[[float], bool]
    worst: Callable[[list[float]], float]
    reading: str


_LOW, _HIGH = SOUND_OUTPUTS
_SIGNS = (
    _Sign(
        "outputs explode",
        "output_mean_square",
        lambda x: not x <= _HIGH,
        max,
        f"mean square {{}}, sound to {_HIGH:g}",
    ),
    _Sign("outputs vanish", "output_mean_square", lambda x: x < _LOW, min, f"mean square {{}}, sound from {_LOW:g}"),
    _Sign(
        "the common mode gets through",
        "common_mode",
        lambda x: x > SOUND_COMMON_MODE,
        max,
        f"m'Sm {{}} times the isotropic, sound to {SOUND_COMMON_MODE:g}",
    ),
    _Sign(
        "images look alike",
        "participation_ratio",
        lambda x: x < SOUND_PARTICIPATION,
        min,
        f"participation ratio {{}}, sound from {SOUND_PARTICIPATION:g}",
    ),
)


def warnings(start: Sequence[LayerStart]) -> list[str]:
    """What is wrong with a start, a line a measure: from which layer on, its worst value, and what would be sound."""
    found = []
    for sign in _SIGNS:
        unsound = {layer.layer: v for layer in start if sign.is_unsound(v := getattr(layer, sign.measure))}
        if unsound:
            values = list(unsound.values())
            extreme = compact(sign.worst(values) if all(map(math.isfinite, values)) else math.nan)
            found.append(f"{sign.name} from {next(iter(unsound))} on ({sign.reading.format(extreme)})")
    return found
