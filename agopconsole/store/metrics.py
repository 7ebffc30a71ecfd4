"""What a run yields, written by its job alone: set-up, start, steps, epochs, result, log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

from agopconsole.metrics import EpochAnsatz, EpochMetrics, LayerStart, StepMetrics
from agopconsole.store.connection import transaction, utc_now
from agopconsole.store.records import RunRecord
from agopconsole.store.session import Session


class Metrics(Session):
    """The part of `Store` that keeps what a run yields."""

    def record_setup(self, run_id: int, *, device: str, data_origin: str, environment: dict[str, Any]) -> None:
        """Keeps what runs, and on what."""
        self._update(
            run_id,
            device=device,
            data_origin=data_origin,
            environment=json.dumps(environment, sort_keys=True),
        )

    def record_start(self, run_id: int, layers: Sequence[LayerStart]) -> None:
        """Keeps the network's start, layer by layer."""
        rows = [{"run_id": run_id, "position": i, **asdict(layer)} for i, layer in enumerate(layers)]
        with transaction(self._connection):
            self._tables.table("layers").insert_all(rows, replace=True)

    def record_steps(self, run_id: int, steps: Sequence[StepMetrics]) -> None:
        """Keeps optimiser steps; a step that is recorded again replaces the old one."""
        with transaction(self._connection):
            self._forgive_deaths(run_id, "step", max((s.step for s in steps), default=0))
            self._connection.executemany(
                "INSERT OR REPLACE INTO steps (run_id, step, epoch, loss, gradient_norm, learning_rate)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [(run_id, s.step, s.epoch, s.loss, s.gradient_norm, s.learning_rate) for s in steps],
            )

    def record_epoch(self, run_id: int, metrics: EpochMetrics) -> None:
        """Keeps an epoch and brings the run's own columns up to date with it."""
        row = {
            "run_id": run_id,
            **asdict(metrics),
            "loss_gap": metrics.loss_gap,
            "poster_loss_gap": metrics.poster_loss_gap,
        }
        with transaction(self._connection):
            self._forgive_deaths(run_id, "epoch", metrics.epoch)
            self._tables.table("epochs").insert(row, replace=True)
            self._connection.execute(
                "UPDATE runs SET epoch = e.epoch, final_val_accuracy = e.val_accuracy, loss_gap = e.loss_gap,"
                " poster_loss_gap = e.poster_loss_gap FROM epochs e"
                " WHERE runs.id = ? AND e.run_id = runs.id AND e.epoch = ?",
                (run_id, metrics.epoch),
            )
            self._connection.execute(
                "UPDATE runs SET best_val_accuracy = b.val_accuracy, best_epoch = b.epoch FROM"
                " (SELECT epoch, val_accuracy FROM epochs WHERE run_id = ? AND val_accuracy IS NOT NULL"
                "  ORDER BY val_accuracy DESC, epoch LIMIT 1) b WHERE runs.id = ?",
                (run_id, run_id),
            )

    def _forgive_deaths(self, run_id: int, unit: Literal["step", "epoch"], reached: int) -> None:
        """Counts the deaths of a run anew once it is further than any attempt was.

        What an attempt records again on the way there, from its checkpoint on, is no progress.
        """
        self._connection.execute(
            f"UPDATE runs SET deaths = 0 WHERE id = ? AND deaths"  # noqa: S608 - words of this class
            f" AND ? > coalesce((SELECT max({unit}) FROM {unit}s WHERE run_id = runs.id), 0)",
            (run_id, reached),
        )

    def record_ansatz(self, run_id: int, ansatz: EpochAnsatz) -> None:
        """Keeps the correlations of NFM and AGOP after an epoch."""
        rows = [
            {"run_id": run_id, "epoch": ansatz.epoch, "position": i, **asdict(layer)}
            for i, layer in enumerate(ansatz.layers)
        ]
        with transaction(self._connection):
            self._tables.table("ansatz").insert_all(rows, replace=True)

    def record_result(self, run_id: int, *, test_accuracy: float | None, at_chance: bool) -> None:
        """Keeps what is known of a run only once it has trained to the end."""
        self._update(run_id, test_accuracy=test_accuracy, at_chance=int(at_chance))

    def record_code(self, run: RunRecord, code: str) -> None:
        """Keeps, as JSON, the code that trains a run; the log gets a warning where another one asked for it."""
        self._update(run.id, started_code=code)
        if run.queued_code not in (None, code):
            self.log(run.id, "warning", "the code has changed since the run was queued")

    def record_features(self, row: dict[str, Any]) -> None:
        """Keeps what a file of feature matrices was computed from."""
        with transaction(self._connection):
            self._tables.table("features").insert({**row, "created_at": utc_now()}, replace=True)

    def log(self, run_id: int, level: str, message: str) -> None:
        """Adds a line to a run's log."""
        with transaction(self._connection):
            self._log(run_id, level, message)

    def _update(self, run_id: int, **columns: Any) -> None:
        with transaction(self._connection):
            self._tables.table("runs").update(run_id, columns)
