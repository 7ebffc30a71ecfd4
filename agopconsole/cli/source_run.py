"""The run that trained a source, for the commands that look at one without training anything on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agopconsole.cli.settings import Settings
from agopconsole.errors import RequestError, WorkError

if TYPE_CHECKING:
    from agopconsole.spec import RunSpec
    from agopconsole.store import Store


def trained_source(settings: Settings, store: Store, spec: RunSpec, mirror: str | None) -> int | None:
    """The run that trained the spec's source, trained now where there is none yet; None if a signal came between.

    Raises:
        RequestError: if the spec names a run that is not done.
        WorkError: if the source could not be trained.
    """
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
