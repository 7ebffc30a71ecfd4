"""Runs that something else trained: put into the store finished, in one transaction, and marked as such."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from agopconsole.errors import RequestError
from agopconsole.metrics import EpochMetrics
from agopconsole.spec import RunSpec
from agopconsole.store.connection import transaction, utc_now
from agopconsole.store.records import IMPORTED
from agopconsole.store.requests import Requests


@dataclass(frozen=True, slots=True)
class ImportedRun:
    """A run as its own log tells it.

    Attributes:
        spec: what it would have been asked for here.
        history: its epochs, one or more, in order; NaN for what was not logged.
        test_accuracy: in percent, or None.
        at_chance: whether it never left chance.
        diverged: whether a loss was not finite.
        origin: where the log lies.
        digest: of the log's contents; no log is taken in twice.
        config: what the log says of how it was trained.
    """

    spec: RunSpec
    history: tuple[EpochMetrics, ...]
    test_accuracy: float | None
    at_chance: bool
    diverged: bool
    origin: str
    digest: str
    config: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        """Never that of a run of ours: a study trains its own, whatever was imported."""
        return f"imported-{self.digest}"


class Imports(Requests):
    """The part of `Store` that takes in finished runs."""

    def import_runs(self, runs: Sequence[ImportedRun]) -> list[tuple[int, bool]]:
        """Adds runs, all or none; for each its id, and whether it is new here.

        Raises:
            RequestError: if one starts from a source that the console would have to train first.
        """
        with transaction(self._connection):
            return [self._import(run) for run in runs]

    def _import(self, run: ImportedRun) -> tuple[int, bool]:
        if found := self.find_run(run.fingerprint, diverged=True):
            return found.id, False
        if run.spec.method.needs_source and run.spec.source.startswith(("dataset:", "run:")):
            raise RequestError(f"{run.origin}: an imported run has the source imagenet or a file of weights")
        run_id = self._add_run(run.spec, {}, {})
        best = max(
            (epoch for epoch in run.history if math.isfinite(epoch.val_accuracy)),
            key=lambda epoch: epoch.val_accuracy,
            default=None,
        )
        last, now = run.history[-1], utc_now()
        self._tables.table("epochs").insert_all(
            {
                "run_id": run_id,
                **asdict(epoch),
                "loss_gap": epoch.loss_gap,
                "poster_loss_gap": epoch.poster_loss_gap,
            }
            for epoch in run.history
        )
        columns: dict[str, Any] = {
            "status": "failed" if run.diverged else "done",
            "error": "a loss was not finite" if run.diverged else None,
            "diverged": int(run.diverged),
            "at_chance": int(run.at_chance),
            "epoch": last.epoch,
            "best_epoch": best.epoch if best else None,
            "best_val_accuracy": best.val_accuracy if best else None,
            "final_val_accuracy": last.val_accuracy,
            "test_accuracy": run.test_accuracy,
            "loss_gap": last.loss_gap,
            "poster_loss_gap": last.poster_loss_gap,
            "started_at": now,
            "ended_at": now,
            "data_origin": f"{IMPORTED}{run.origin}",
            "environment": json.dumps({"imported_config": run.config}, sort_keys=True),
            "fingerprint": run.fingerprint,
        }
        self._tables.table("runs").update(run_id, columns)
        self._log(run_id, "info", f"imported from {run.origin}; trained elsewhere")
        return run_id, True
