"""What a study still needs: which of its runs the store has already, and which sources must be trained first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agopconsole.queue import requests
from agopconsole.queue.paths import portable
from agopconsole.spec import RunSpec
from agopconsole.store import RunRecord, Store


@dataclass(frozen=True, slots=True)
class Plan:
    """The runs of a study as they stand.

    Attributes:
        specs: all of them.
        found: for each the run that has a result or is on its way; None where there is none.
        lost: those of the rest that start from a run which diverged, directly or not: to train it again would give
            the same.
        missing: those that are still to be queued.
        sources: the runs beside these that must be trained first, because others start from them.
    """

    specs: tuple[RunSpec, ...]
    found: tuple[RunRecord | None, ...]
    lost: tuple[RunSpec, ...]
    missing: tuple[RunSpec, ...]
    sources: tuple[RunSpec, ...]

    @property
    def known(self) -> list[int]:
        """Ids of the runs that are there."""
        return [run.id for run in self.found if run is not None]

    @property
    def is_complete(self) -> bool:
        """Whether every run has its result; that one diverges is a result too, and that others are lost with it."""
        return not self.missing and all(run.status == "done" or run.diverged for run in self.found if run)


def plan(store: Store | None, specs: Sequence[RunSpec]) -> Plan:
    """How the runs of a study stand in the store; without one all of them are still to come."""
    ids = [requests.find(store, spec) for spec in specs] if store else [None] * len(specs)
    runs = {run.id: run for run in store.runs(ids=[i for i in ids if i is not None])} if store else {}
    found = tuple(None if run_id is None else runs[run_id] for run_id in ids)
    rest = [spec for spec, run_id in zip(specs, ids, strict=True) if run_id is None]
    lost = tuple(spec for spec in rest if store and _is_lost(store, spec))
    missing = tuple(spec for spec in rest if spec not in lost)
    return Plan(tuple(specs), found, lost, missing, _sources(store, specs, missing))


def _is_lost(store: Store, spec: RunSpec) -> bool:
    source = spec.source_run()
    if source is None:
        return False
    fingerprint = portable(source, store.path).fingerprint
    if store.find_run(fingerprint) is not None:
        return False
    return store.find_run(fingerprint, diverged=True) is not None or _is_lost(store, source)


def _sources(store: Store | None, specs: Sequence[RunSpec], missing: Sequence[RunSpec]) -> tuple[RunSpec, ...]:
    """The source runs of `missing` that neither the store has nor the study itself trains."""
    there = {spec.fingerprint for spec in specs}
    new: dict[str, RunSpec] = {}
    for spec in missing:
        source = spec.source_run()
        if source is None or source.fingerprint in there or source.fingerprint in new:
            continue
        if store is None or store.find_run(portable(source, store.path).fingerprint) is None:
            new[source.fingerprint] = source
    return tuple(new.values())
