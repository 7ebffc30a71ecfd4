"""Why a run stands as it does: its own error, that of the source it starts from, and what its start foretold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agopconsole.analysis.verdict import warnings
from agopconsole.catalogue import normed_layers
from agopconsole.metrics import LayerStart
from agopconsole.store import RunRecord
from agopconsole.wording import counted


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
        lines.append(f"its process died {counted(run.deaths, 'time')} since it last got further")
    if run.at_chance and not run.diverged:
        lines.append("it never left chance")
    if run.diverged or run.at_chance:
        lines += [f"its start: {words}" for _, words in warnings(start, normed_layers(run.model))]
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
