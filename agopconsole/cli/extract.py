"""`agopconsole extract`: the feature matrices of a source, or of a folder of CSV files, as a safetensors file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from agopconsole.cli.options import ConfigFile, Mirror, read_source_spec, read_spec, takes_spec
from agopconsole.cli.output import note
from agopconsole.cli.settings import INTERRUPTED, settings_of
from agopconsole.cli.source_run import source_at_hand
from agopconsole.errors import RequestError
from agopconsole.wording import counted


@takes_spec
def extract(
    context: typer.Context,
    given: dict[str, Any],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="the safetensors file to write")],
    kind: Annotated[Literal["nfm", "agop"], typer.Option("--kind", help="which matrices")] = "agop",
    half: Annotated[
        bool, typer.Option("--half", help="write float16, in half the bytes, at an error below 0.001 a matrix")
    ] = False,
    from_csv: Annotated[
        Path | None,
        typer.Option("--from-csv", metavar="FOLDER", help="take layer_0.csv, layer_1.csv... in place of a source"),
    ] = None,
    config: ConfigFile = None,
    mirror: Mirror = None,
) -> int:
    """Write the feature matrices of a source to a file."""
    from agopconsole.analysis.export import check_file

    if out.suffix != ".safetensors":
        raise RequestError(f"--out '{out}' must end in .safetensors")
    check_file(out, "--out")
    settings = settings_of(context)
    if from_csv is not None:
        if not from_csv.is_dir():
            raise RequestError(f"--from-csv '{from_csv}': there is no such folder")
        spec = read_spec(config, given)
        from agopconsole.backend.source_extract import extract_csv

        keys = extract_csv(spec.model, from_csv, out)
    else:
        spec = read_source_spec(config, given, kind)
        source = source_at_hand(settings, spec, mirror)
        if source is None:
            return INTERRUPTED
        from agopconsole.backend.source_extract import extract_source

        keys = extract_source(spec, source.places, out, half=half, report=note)
    note(f"{out}: {counted(len(keys), 'matrix')}, {out.stat().st_size / 1e6:.1f} MB")
    return 0
