"""Takes specs into the queue, each behind the run that trains its source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec
from agopconsole.store.connection import transaction, utc_now
from agopconsole.store.reads import Reads
from agopconsole.store.records import RunRecord


class Requests(Reads):
    """The part of `Store` that adds runs."""

    def add_runs(
        self,
        specs: Sequence[RunSpec],
        *,
        mirror: str | None = None,
        on_finish: str | None = None,
        code: str | None = None,
    ) -> list[int]:
        """Queues runs, all or none, and before them the source runs that they wait for; returns the ids of `specs`.

        A source run that is there already, done or on its way, serves again.

        Args:
            specs: what to train.
            mirror: where to fetch data sets and weights from, in place of their published addresses.
            on_finish: a command to be run once each of `specs` has ended.
            code: the code that asks for it, as JSON.

        Raises:
            RequestError: if a spec starts from a run that is not there or has failed.
        """
        columns = {"mirror": mirror, "queued_code": code}
        with transaction(self._connection):
            return [self._add_run(spec, {**columns, "on_finish": on_finish}, columns) for spec in specs]

    def source_run(self, run_id: int) -> RunRecord:
        """A run that others can start from, now or once it is done.

        Raises:
            RequestError: if there is none of that id, or it came to nothing.
        """
        source = self.run(run_id)
        if source.status in ("failed", "cancelled"):
            raise RequestError(f"source 'run:{run_id}': that run is {source.status}; start from one that is done")
        return source

    def _add_run(self, spec: RunSpec, columns: Mapping[str, Any], of_source: Mapping[str, Any]) -> int:
        """Queues a run with further columns, behind its source run with columns of that one."""
        asked = self._asked(spec, of_source)
        # The id of a run that was removed is never given to another: specs and folders go by it.
        (run_id,) = self._connection.execute(
            "SELECT max(coalesce((SELECT max(id) FROM runs), 0), last_id) + 1 FROM queue"
        ).fetchone()
        row = {"id": run_id, **asked, "created_at": utc_now(), **columns}
        run_id = self._tables.table("runs").insert(row).last_pk
        assert isinstance(run_id, int)
        return run_id

    def _replace_spec(self, run: RunRecord, spec: RunSpec) -> None:
        """Gives a run that has not begun another spec; one that is paused stays so."""
        row = self._asked(spec, {"mirror": run.mirror, "queued_code": run.queued_code})
        if self._rests_on(row["source_run"], run.id):
            raise RequestError(f"run #{run.id} cannot start from run #{row['source_run']}, which waits for it")
        if run.status == "paused":
            del row["status"]
        self._tables.table("runs").update(run.id, row)

    def _rests_on(self, run_id: int | None, wanted: int) -> bool:
        """Whether a run is `wanted`, or starts from it, directly or not."""
        while run_id is not None and run_id != wanted:
            run_id = self.run(run_id).source_run
        return run_id == wanted

    def _asked(self, spec: RunSpec, of_source: Mapping[str, Any]) -> dict[str, Any]:
        """The columns that say what a spec asks for; its source run is queued where there is none yet."""
        source_run = self._source_run_id(spec, of_source)
        source = self.run(source_run) if source_run else None
        return {
            "name": spec.name or f"{spec.dataset} {spec.label} s{spec.seed}",
            "study": spec.study,
            "status": "queued" if source is None or source.status == "done" else "waiting",
            "method": spec.label,
            "twin": spec.twin_label,
            "init": spec.init,
            "dataset": spec.dataset,
            "model": spec.model,
            "source": spec.source if spec.method.needs_source else None,
            "seed": spec.seed,
            "epochs": spec.epochs,
            "batch_size": spec.batch_size,
            "lr": spec.lr,
            "source_run": source_run,
            "fingerprint": spec.fingerprint,
            "spec": spec.to_json(),
        }

    def _source_run_id(self, spec: RunSpec, columns: Mapping[str, Any]) -> int | None:
        if not spec.method.needs_source:
            return None
        request = spec.source_run()
        if request is not None:
            found = self.find_run(request.fingerprint)
            return found.id if found else self._add_run(request, columns, columns)
        if spec.source.startswith("run:"):
            return self.source_run(int(spec.source.removeprefix("run:"))).id
        return None
