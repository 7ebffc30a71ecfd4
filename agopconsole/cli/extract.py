"""`agopconsole extract`: the feature matrices of a source, or of a folder of CSV files, as a safetensors file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from agopconsole.cli.options import ConfigFile, Mirror, read_spec, takes_spec
from agopconsole.cli.output import note
from agopconsole.cli.settings import INTERRUPTED, settings_of
from agopconsole.cli.source_run import trained_source
from agopconsole.errors import RequestError


@takes_spec
def extract(
    context: typer.Context,
    given: dict[str, Any],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="the safetensors file to write")],
    kind: Annotated[Literal["nfm", "agop"], typer.Option("--kind", help="which matrices")] = "agop",
    from_csv: Annotated[
        Path | None,
        typer.Option("--from-csv", metavar="FOLDER", help="take layer_0.csv, layer_1.csv... in place of a source"),
    ] = None,
    config: ConfigFile = None,
    mirror: Mirror = None,
) -> int:
    """Write the feature matrices of a source to a file."""
    from agopconsole.backend.places import BEST_WEIGHTS, FEATURES, Places
    from agopconsole.queue import requests
    from agopconsole.store import files_beside

    if out.suffix != ".safetensors":
        raise RequestError(f"--out '{out}' must end in .safetensors")
    if not out.parent.is_dir():
        raise RequestError(f"--out '{out}': there is no folder {out.parent}")
    settings = settings_of(context)
    if from_csv is not None:
        if not from_csv.is_dir():
            raise RequestError(f"--from-csv '{from_csv}': there is no such folder")
        spec = read_spec(config, given)
        from agopconsole.backend.source_extract import extract_csv

        keys = extract_csv(spec.model, from_csv, out)
    else:
        spec = read_spec(config, {**given, "init": kind})
        requests.check([spec])
        files, source = files_beside(settings.db), None
        if requests.starts_from_run(spec):
            with settings.store(create=True) as store:
                source_id = trained_source(settings, store, spec, mirror)
                if source_id is None:
                    return INTERRUPTED
                source = store.run_files(source_id) / BEST_WEIGHTS
        from agopconsole.backend.source_extract import extract_source

        places = Places(files, files / FEATURES, settings.data, source, mirror)
        keys = extract_source(spec, places, out, report=note)
    note(f"{out}: {len(keys)} matrices, {out.stat().st_size / 1e6:.1f} MB")
    return 0
