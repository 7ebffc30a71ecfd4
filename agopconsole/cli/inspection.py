"""`agopconsole inspect`: the start of a run, layer by layer, without training it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import typer

from agopconsole.cli.options import ConfigFile, Mirror, TableFormat, read_spec, takes_spec
from agopconsole.cli.output import note, print_table, print_text
from agopconsole.cli.settings import INTERRUPTED, settings_of
from agopconsole.cli.source_run import source_at_hand


@takes_spec
def inspect(
    context: typer.Context,
    given: dict[str, Any],
    config: ConfigFile = None,
    mirror: Mirror = None,
    output_format: TableFormat = "table",
) -> int:
    """Measure the start of a run, layer by layer. Says what it foretells, and trains nothing."""
    from agopconsole.analysis import verdict
    from agopconsole.catalogue import normed_layers
    from agopconsole.cli.run_text import START_COLUMNS

    settings = settings_of(context)
    spec = read_spec(config, given)
    source = source_at_hand(settings, spec, mirror)
    if source is None:
        return INTERRUPTED

    from agopconsole.backend.run import measure_spec  # imports torch; not before the request is known to be sound

    layers = measure_spec(spec, source.places, report=note)
    print_table([asdict(layer) for layer in layers], START_COLUMNS, output_format)
    words = verdict.in_words(layers, normed_layers(spec.model))
    if output_format == "table":
        print_text(words)
    else:
        note(words)
    return 0
