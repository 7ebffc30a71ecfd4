"""`agopconsole inspect`: the start of a run, layer by layer, without training it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from agopconsole.cli.options import ConfigFile, Mirror, TableFormat, read_spec, takes_spec
from agopconsole.cli.output import note, print_table
from agopconsole.cli.settings import INTERRUPTED, Settings, settings_of
from agopconsole.errors import RequestError, WorkError

if TYPE_CHECKING:
    from agopconsole.spec import RunSpec
    from agopconsole.store import Store


@takes_spec
def inspect(
    context: typer.Context,
    given: dict[str, Any],
    config: ConfigFile = None,
    mirror: Mirror = None,
    output_format: TableFormat = "table",
) -> int:
    """Measure the start of a run, layer by layer."""
    from agopconsole.backend.places import BEST_WEIGHTS, FEATURES, Places
    from agopconsole.cli.run_text import START_COLUMNS
    from agopconsole.queue import requests
    from agopconsole.store import files_beside

    settings = settings_of(context)
    spec = read_spec(config, given)
    requests.check([spec])
    source = None
    if requests.starts_from_run(spec):
        with settings.store(create=True) as store:
            source_id = _trained_source(settings, store, spec, mirror)
            if source_id is None:
                return INTERRUPTED
            source = store.run_files(source_id) / BEST_WEIGHTS
    files = files_beside(settings.db)
    places = Places(files, files / FEATURES, settings.data, source, mirror)

    from agopconsole.backend.run import measure_spec  # imports torch; not before the request is known to be sound

    layers = measure_spec(spec, places, report=note)
    print_table([asdict(layer) for layer in layers], START_COLUMNS, output_format)
    return 0


def _trained_source(settings: Settings, store: Store, spec: RunSpec, mirror: str | None) -> int | None:
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
