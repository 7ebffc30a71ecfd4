"""`agopconsole ansatz`: how far a source's NFM is its AGOP, layer by layer, beside that of its untrained start."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import typer

from agopconsole.cli.options import ConfigFile, Mirror, TableFormat, read_source_spec, takes_spec
from agopconsole.cli.output import note, print_table
from agopconsole.cli.settings import INTERRUPTED, settings_of
from agopconsole.cli.source_run import source_at_hand


@takes_spec
def ansatz(
    context: typer.Context,
    given: dict[str, Any],
    config: ConfigFile = None,
    mirror: Mirror = None,
    output_format: TableFormat = "table",
) -> int:
    """Correlate NFM and AGOP of a source. Layer by layer, beside its untrained start."""
    from agopconsole.cli.run_text import ANSATZ_COLUMNS

    settings = settings_of(context)
    spec = read_source_spec(config, given, "agop")
    source = source_at_hand(settings, spec, mirror)
    if source is None:
        return INTERRUPTED

    from agopconsole.backend.source_ansatz import Origin, source_ansatz  # imports torch; not before a sound request
    from agopconsole.queue.paths import located

    origin = None
    if source.run is not None:
        origin = Origin(located(source.run.request, settings.db), replace(source.places, source=source.above))
    else:
        note("the start of this source is not known: beside it stands a fresh start of the same architecture")
    rows = source_ansatz(spec, source.places, origin, report=note)
    print_table(rows, ANSATZ_COLUMNS, output_format)
    return 0
