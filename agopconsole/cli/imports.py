"""`agopconsole runs import`: finished runs out of the logs of the source study's own code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from agopconsole.cli.options import takes_spec
from agopconsole.cli.output import note
from agopconsole.cli.settings import settings_of


@takes_spec
def import_logs(
    context: typer.Context,
    given: dict[str, Any],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="JSON logs of the source study, one a run")],
) -> None:
    """Take in runs that the source study's code trained. Options say what their logs do not."""
    from agopconsole.analysis.poster_logs import read_log

    runs = [read_log(file, given) for file in files]
    with settings_of(context).store(create=True) as store:
        added = store.import_runs(runs)
    for file, (run_id, new) in zip(files, added, strict=True):
        note(f"{file}: run #{run_id}{'' if new else ', which holds it already'}")
