"""`agopconsole inspect`: the start of a run, layer by layer, without training it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import typer

from agopconsole.cli.options import ConfigFile, Mirror, TableFormat, read_spec, takes_spec
from agopconsole.cli.output import note, print_table
from agopconsole.cli.settings import INTERRUPTED, settings_of
from agopconsole.cli.source_run import trained_source


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
            source_id = trained_source(settings, store, spec, mirror)
            if source_id is None:
                return INTERRUPTED
            source = store.run_files(source_id) / BEST_WEIGHTS
    files = files_beside(settings.db)
    places = Places(files, files / FEATURES, settings.data, source, mirror)

    from agopconsole.backend.run import measure_spec  # imports torch; not before the request is known to be sound

    layers = measure_spec(spec, places, report=note)
    print_table([asdict(layer) for layer in layers], START_COLUMNS, output_format)
    return 0
