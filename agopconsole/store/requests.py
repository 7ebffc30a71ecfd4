"""Takes specs into the queue, each behind the run that trains its source."""

from __future__ import annotations

from collections.abc import Sequence

from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec
from agopconsole.store.connection import transaction, utc_now
from agopconsole.store.reads import Reads


class Requests(Reads):
    """The part of `Store` that adds runs."""

    def add_runs(self, specs: Sequence[RunSpec]) -> list[int]:
        """Queues runs, all or none, and before them the source runs that they wait for; returns the ids of `specs`.

        A source run that is there already, done or on its way, serves again.

        Raises:
            RequestError: if a spec starts from a run that is not there or has failed.
        """
        with transaction(self._connection):
            return [self._add_run(spec) for spec in specs]

    def _add_run(self, spec: RunSpec) -> int:
        source_run = self._source_run_id(spec)
        source = self.run(source_run) if source_run else None
        row = {
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
            "created_at": utc_now(),
            "fingerprint": spec.fingerprint,
            "spec": spec.to_json(),
        }
        run_id = self._tables.table("runs").insert(row).last_pk
        assert isinstance(run_id, int)
        return run_id

    def _source_run_id(self, spec: RunSpec) -> int | None:
        if not spec.method.needs_source:
            return None
        if spec.source.startswith("run:"):
            source = self.run(int(spec.source.removeprefix("run:")))
            if source.status in ("failed", "cancelled"):
                raise RequestError(
                    f"source '{spec.source}': that run is {source.status}; start from one that is done"
                )
            return source.id
        request = spec.source_run()
        if request is None:
            return None
        found = self.find_run(request.fingerprint)
        return found.id if found else self._add_run(request)
