"""The first layers that the files of a run hold: its own at its best epoch, its source's, and the source's AGOP."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from agopconsole.analysis.filters import Filters, feature_filters, file_facts, weight_filters
from agopconsole.backend.places import BEST_WEIGHTS, FEATURES
from agopconsole.errors import RequestError
from agopconsole.store import RunRecord, Store


@dataclass(frozen=True, slots=True)
class StoredFilters:
    """One first layer.

    Attributes:
        title: whose it is.
        filters: what it looks for; None where that cannot be told.
        lack: why not.
    """

    title: str
    filters: Filters | None = None
    lack: str = ""


def stored_filters(store: Store, run: RunRecord) -> tuple[StoredFilters, ...]:
    """What the files say of `run`; empty if there is none that could."""
    return tuple(_rows(store, run))


def _rows(store: Store, run: RunRecord) -> Iterator[StoredFilters]:
    own = store.run_files(run.id) / BEST_WEIGHTS
    if own.is_file():
        yield _read("NFM at the best epoch", own)
    if run.unknown or not run.request.method.needs_source:
        return
    source = f"source {run.request.source}" if run.source_run is None else f"source, run #{run.source_run}"
    yield _source_weights(store, run, f"NFM of its {source}")
    if run.request.method.features == "agop":
        yield _source_agop(store, run, f"AGOP of its {source}")


def _source_weights(store: Store, run: RunRecord, title: str) -> StoredFilters:
    if run.source_run is not None:
        path = store.run_files(run.source_run) / BEST_WEIGHTS
        return _read(title, path) if path.is_file() else StoredFilters(title, lack="no weights of it are kept here")
    path = Path(run.request.source).expanduser()
    if path.suffix != ".safetensors":
        return StoredFilters(title, lack="only weights in a .safetensors file are read here")
    return _read(title, path) if path.is_file() else StoredFilters(title, lack="there is no such file here")


def _source_agop(store: Store, run: RunRecord, title: str) -> StoredFilters:
    """The AGOP that the run was drawn from, by what its file says it was computed from.

    A source trained anew keeps its name: the run's log says which weights it had.
    """
    spec = run.request
    log = "\n".join(line.message for line in store.logs(run.id))
    asked = {"dataset": spec.dataset, "images": spec.agop_images, "power": spec.agop_power, "seed": spec.seed}
    found = {}
    for path in sorted((store.files / FEATURES).glob("agop-*.safetensors")):
        with contextlib.suppress(RequestError):  # another run may be writing there
            facts = file_facts(path)
            if asked.items() <= facts.items() and f"digest {facts.get('source_digest')}" in log:
                found[facts.get("outputs")] = path  # files that differ in their layers alone agree in the first
    if len(found) != 1:
        lack = "several files of it are kept here, by other outputs" if found else "no file of it is kept here"
        return StoredFilters(title, lack=lack)
    [path] = found.values()
    return _read(title, path, feature_filters)


def _read(title: str, path: Path, read: Callable[[Path], Filters | None] = weight_filters) -> StoredFilters:
    try:
        filters = read(path)
    except RequestError as error:
        return StoredFilters(title, lack=str(error))
    return StoredFilters(title, filters, "" if filters else "no layer of it sees colours")
