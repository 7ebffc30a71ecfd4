"""The run that trained a source, for the commands that look at one without training anything on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agopconsole.cli.settings import Settings
from agopconsole.errors import RequestError, WorkError

if TYPE_CHECKING:
    from pathlib import Path

    from agopconsole.backend.places import Places
    from agopconsole.spec import RunSpec
    from agopconsole.store import RunRecord, Store


@dataclass(frozen=True, slots=True)
class SourceAtHand:
    """What a command needs to look at a source.

    Attributes:
        places: where its files are.
        run: the run that trained it, None for ImageNet's weights and files.
        above: best weights of the run that `run` itself started from.
    """

    places: Places
    run: RunRecord | None = None
    above: Path | None = None


def source_at_hand(settings: Settings, spec: RunSpec, mirror: str | None) -> SourceAtHand | None:
    """The source of a spec, trained first where it must be; None if a signal came between.

    Raises:
        RequestError: if a file or a device is not there, or the spec names a run that is not done.
        WorkError: if the source could not be trained.
    """
    from agopconsole.backend.places import BEST_WEIGHTS, FEATURES, Places
    from agopconsole.queue import requests
    from agopconsole.store import files_beside

    requests.check([spec], settings.data)
    files = files_beside(settings.db)
    if not requests.starts_from_run(spec):
        return SourceAtHand(Places(files, files / FEATURES, settings.data, None, mirror))
    with settings.store_if_any() as there:
        requests.check_sources(there, [spec])
    with settings.store(create=True) as store:
        source_id = _trained_source(settings, store, spec, mirror)
        if source_id is None:
            return None
        run = store.run(source_id)
        weights = store.run_files(source_id) / BEST_WEIGHTS
        above = store.run_files(run.source_run) / BEST_WEIGHTS if run.source_run is not None else None
    return SourceAtHand(Places(files, files / FEATURES, settings.data, weights, mirror), run, above)


def _trained_source(settings: Settings, store: Store, spec: RunSpec, mirror: str | None) -> int | None:
    """The run that trained the spec's source, trained now where there is none yet; None if a signal came between."""
    from agopconsole.cli.foreground import work_through
    from agopconsole.queue import requests

    source_spec = spec.source_run()
    if source_spec is None:
        source = store.run(int(spec.source.removeprefix("run:")))
        if source.status != "done":
            raise RequestError(f"source '{spec.source}': that run is {source.status}; start from one that is done")
        return source.id
    [source_id], interrupted = work_through(
        settings, store, lambda: [requests.find_or_submit(store, source_spec)], mirror=mirror, cancels=True
    )
    if interrupted:
        return None
    source = store.run(source_id)
    if source.status != "done":
        raise WorkError(f"its source, run #{source.id}, is {source.status}: {source.error}")
    return source.id
