"""Every read of the store; what a row means is said by `records`."""

from __future__ import annotations

import itertools
import json
import operator
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from agopconsole.errors import RequestError
from agopconsole.metrics import EpochAnsatz, EpochMetrics, LayerAnsatz, LayerStart, StepMetrics
from agopconsole.store.records import (
    COLUMNS,
    RUN_COLUMNS,
    LogLine,
    Metrics,
    RunRecord,
    metrics_from,
)
from agopconsole.store.session import Session


class Reads(Session):
    """The part of `Store` that reads."""

    def run(self, run_id: int) -> RunRecord:
        """One run.

        Raises:
            RequestError: if there is none of that id.
        """
        # As text: a number too large for SQLite is the id of no run either.
        row = self._connection.execute("SELECT * FROM runs WHERE id = CAST(? AS INTEGER)", (str(run_id),)).fetchone()
        if row is None:
            raise RequestError(f"there is no run #{run_id} in {self.path}")
        return RunRecord.from_row(row)

    def runs(
        self, *, study: str | None = None, status: str | None = None, ids: Collection[int] | None = None
    ) -> list[RunRecord]:
        """The runs (of a study, of a status, of some ids), oldest first."""
        where, values = ["1"], []
        for column, value in (("study", study), ("status", status)):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)
        if ids is not None:
            where.append("id IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(list(ids)))
        return self._records(f"WHERE {' AND '.join(where)} ORDER BY id", values)

    def run_marks(self) -> dict[int, str]:
        """For each run by id, oldest first, what changes whenever anything of its row does."""
        # One text a run: a row of so many values would take three times as long to fetch.
        rows = self._connection.execute(
            "SELECT id, json_array(status, epoch, attempts, heartbeat_at, ended_at, priority, cancel_requested,"
            " pause_requested, at_chance, test_accuracy, device, error, fingerprint) FROM runs ORDER BY id"
        )
        return dict(map(tuple, rows))

    def find_run(self, fingerprint: str, study: str | None = None, *, diverged: bool = False) -> RunRecord | None:
        """The newest run of that fingerprint (in that study) that is done or on its way, or None.

        With `diverged` one that diverged counts too: it would do so again.
        """
        row = self._connection.execute(
            "SELECT * FROM runs WHERE fingerprint = ? AND (? IS NULL OR study = ?)"
            " AND (status NOT IN ('failed', 'cancelled') OR (? AND diverged))"
            " ORDER BY status = 'done' DESC, id DESC LIMIT 1",
            (fingerprint, study, study, diverged),
        ).fetchone()
        return RunRecord.from_row(row) if row else None

    def waiting_for(self, run_id: int) -> list[RunRecord]:
        """The runs that wait for that one to be done."""
        return self._records("WHERE status = 'waiting' AND source_run = ? ORDER BY id", (run_id,))

    def running(self) -> list[RunRecord]:
        """The runs that some worker has claimed."""
        return self._records("WHERE status = 'running' ORDER BY id")

    def resting_on(self, run_id: int) -> list[RunRecord]:
        """The runs that start from that one, whatever became of them."""
        return self._records("WHERE source_run = ? ORDER BY id", (run_id,))

    def queue_paused(self) -> bool:
        """Whether no worker is to start another run."""
        return bool(self._connection.execute("SELECT paused FROM queue").fetchone()[0])

    def open_count(
        self,
        only: Collection[int] | None = None,
        statuses: Collection[str] = ("queued", "waiting", "running"),
        devices: Collection[str] | None = None,
    ) -> int:
        """How many runs (of `only`, and that ask for one of `devices`, where given) are still to be worked on."""
        asked = None if devices is None else json.dumps(list(devices))
        chosen = None if only is None else json.dumps(list(only))
        count: int = self._connection.execute(
            "SELECT count(*) FROM runs WHERE status IN (SELECT value FROM json_each(?))"
            " AND (? IS NULL OR id IN (SELECT value FROM json_each(?)))"
            " AND (? IS NULL OR json_extract(spec, '$.device') IN (SELECT value FROM json_each(?)))",
            (json.dumps(list(statuses)), chosen, chosen, asked, asked),
        ).fetchone()[0]
        return count

    def _records(self, clause: str, values: Sequence[Any] = ()) -> list[RunRecord]:
        query = f"SELECT {RUN_COLUMNS} FROM runs {clause}"  # noqa: S608 - clauses of this class
        return [RunRecord.from_values(row) for row in self._connection.execute(query, values)]

    def studies(self) -> list[str]:
        """The names of the studies, the one touched last at the end."""
        rows = self._connection.execute("SELECT study FROM runs WHERE study != '' GROUP BY study ORDER BY max(id)")
        return [row[0] for row in rows]

    def history(self, run_id: int) -> list[EpochMetrics]:
        """The epochs of a run in order."""
        return self._metrics(EpochMetrics, "epochs WHERE run_id = ? ORDER BY epoch", (run_id,))

    def histories(self, ids: Collection[int]) -> dict[int, list[EpochMetrics]]:
        """The epochs of several runs by id, each in order; a run without any has an empty list."""
        found: dict[int, list[EpochMetrics]] = {run_id: [] for run_id in ids}
        rows = self._plain_rows(
            f"SELECT run_id, {COLUMNS[EpochMetrics]} FROM epochs"  # noqa: S608 - names of the package
            " WHERE run_id IN (SELECT value FROM json_each(?)) ORDER BY run_id, epoch",
            (json.dumps(list(ids)),),
        )
        for run_id, *values in rows:
            found[run_id].append(metrics_from(EpochMetrics, values))
        return found

    def last_epochs(self, newest: int) -> dict[int, EpochMetrics]:
        """The last epoch of each of the `newest` runs that have one, by id."""
        rows = self._plain_rows(
            f"SELECT run_id, {COLUMNS[EpochMetrics]} FROM (SELECT epochs.* FROM runs"  # noqa: S608 - names of the package
            " JOIN epochs ON epochs.run_id = runs.id AND epochs.epoch = runs.epoch ORDER BY runs.id DESC LIMIT ?)",
            (newest,),
        )
        return {run_id: metrics_from(EpochMetrics, values) for run_id, *values in rows}

    def accuracy_areas(self, ids: Collection[int]) -> dict[int, float]:
        """The mean validation accuracy over the epochs of several runs by id; a run without any is left out."""
        return self._over_epochs("avg(val_accuracy)", ids)

    def epoch_seconds(self, ids: Collection[int]) -> dict[int, float]:
        """What the epochs of several runs took together, by id; a run without any is left out."""
        return self._over_epochs("sum(seconds)", ids)

    def first_epochs(self, ids: Collection[int], accuracy: float) -> dict[int, int]:
        """The first epoch that reached a validation accuracy in percent, by id of the runs where one did."""
        # A run's best tells whether there is one, and saves reading the epochs of all others.
        rows = self._connection.execute(
            "SELECT id, (SELECT epoch FROM epochs WHERE run_id = id AND val_accuracy >= ?1 ORDER BY epoch LIMIT 1)"
            " FROM runs WHERE best_val_accuracy >= ?1 AND id IN (SELECT value FROM json_each(?2))",
            (accuracy, json.dumps(list(ids))),
        )
        return dict(map(tuple, rows))

    def _over_epochs(self, sum_of: str, ids: Collection[int]) -> dict[int, float]:
        # Run by run: grouped, SQLite would look at every row twice.
        rows = self._connection.execute(
            f"SELECT value, (SELECT {sum_of} FROM epochs WHERE run_id = value) FROM json_each(?)",  # noqa: S608 - words of this class
            (json.dumps(list(ids)),),
        )
        return {run_id: found for run_id, found in rows if found is not None}

    def steps(self, run_id: int, after: int = -1) -> list[StepMetrics]:
        """The recorded steps of a run in order; those beyond the step `after`."""
        return self._metrics(StepMetrics, "steps WHERE run_id = ? AND step > ? ORDER BY step", (run_id, after))

    def last_step(self, run_id: int) -> StepMetrics | None:
        """The latest recorded step of a run, or None before its first."""
        found = self._metrics(StepMetrics, "steps WHERE run_id = ? ORDER BY step DESC LIMIT 1", (run_id,))
        return found[0] if found else None

    def start(self, run_id: int) -> list[LayerStart]:
        """The start of a run's network, from the first layer to the last."""
        return self._metrics(LayerStart, "layers WHERE run_id = ? ORDER BY position", (run_id,))

    def ansatz(self, ids: Collection[int]) -> dict[int, list[EpochAnsatz]]:
        """The correlations of NFM and AGOP of several runs by id, epoch by epoch; those without any are left out."""
        rows = self._plain_rows(
            f"SELECT run_id, epoch, {COLUMNS[LayerAnsatz]} FROM ansatz"  # noqa: S608 - names of the package
            " WHERE run_id IN (SELECT value FROM json_each(?)) ORDER BY run_id, epoch, position",
            (json.dumps(list(ids)),),
        )
        found: dict[int, list[EpochAnsatz]] = {}
        for (run_id, epoch), layers in itertools.groupby(rows, operator.itemgetter(0, 1)):
            measured = tuple(metrics_from(LayerAnsatz, values) for _, _, *values in layers)
            found.setdefault(run_id, []).append(EpochAnsatz(epoch, measured))
        return found

    def _metrics(self, kind: type[Metrics], rest: str, values: Sequence[Any]) -> list[Metrics]:
        rows = self._plain_rows(f"SELECT {COLUMNS[kind]} FROM {rest}", values)  # noqa: S608 - clauses of this class
        return [metrics_from(kind, row) for row in rows]

    def _plain_rows(self, query: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """Rows without the names of their columns, which some reads have a hundred thousand of."""
        cursor = self._connection.cursor()
        cursor.row_factory = None
        return cursor.execute(query, values)

    def logs(self, run_id: int) -> list[LogLine]:
        """The log of a run, oldest line first."""
        rows = self._connection.execute(
            "SELECT time, level, message FROM logs WHERE run_id = ? ORDER BY id", (run_id,)
        )
        return [LogLine(*row) for row in rows]

    def damage(self) -> str | None:
        """The first thing that is wrong with the file, or None; it reads the whole of it."""
        result: str = self._connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        return None if result == "ok" else result.splitlines()[-1]  # the first line names the database alone

    def change_count(self) -> tuple[int, int]:
        """A pair that differs from the last one if and only if the store may have changed since."""
        return self._connection.execute("PRAGMA data_version").fetchone()[0], self._connection.total_changes
