"""`agopconsole ansatz`: how far a source's NFM is its AGOP, layer by layer, beside that of its untrained start."""

from __future__ import annotations

from typing import Any

import typer

from agopconsole.cli.options import ConfigFile, Mirror, TableFormat, read_spec, takes_spec
from agopconsole.cli.output import note, print_table
from agopconsole.cli.settings import INTERRUPTED, settings_of
from agopconsole.cli.source_run import trained_source


@takes_spec
def ansatz(
    context: typer.Context,
    given: dict[str, Any],
    config: ConfigFile = None,
    mirror: Mirror = None,
    output_format: TableFormat = "table",
) -> int:
    """Correlate NFM and AGOP of a source, layer by layer, beside its untrained start."""
    from agopconsole.backend.places import BEST_WEIGHTS, FEATURES, Places
    from agopconsole.cli.run_text import ANSATZ_COLUMNS
    from agopconsole.queue import requests
    from agopconsole.queue.paths import located
    from agopconsole.store import files_beside

    settings = settings_of(context)
    spec = read_spec(config, {**given, "init": "agop"})  # the method that asks for all that the table needs
    requests.check([spec])
    files = files_beside(settings.db)
    features = files / FEATURES
    source = run = above = None
    if requests.starts_from_run(spec):
        with settings.store(create=True) as store:
            source_id = trained_source(settings, store, spec, mirror)
            if source_id is None:
                return INTERRUPTED
            run = store.run(source_id)
            source = store.run_files(source_id) / BEST_WEIGHTS
            above = store.run_files(run.source_run) / BEST_WEIGHTS if run.source_run is not None else None

    from agopconsole.backend.source_ansatz import Origin, source_ansatz  # imports torch; not before a sound request

    origin = None
    if run is not None:
        origin = Origin(located(run.request, settings.db), Places(files, features, settings.data, above, mirror))
    else:
        note("the start of this source is not known: beside it stands a fresh start of the same architecture")
    rows = source_ansatz(spec, Places(files, features, settings.data, source, mirror), origin, report=note)
    print_table(rows, ANSATZ_COLUMNS, output_format)
    return 0
