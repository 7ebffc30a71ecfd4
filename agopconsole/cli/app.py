"""The commands, put together; each module of this package holds a group of them and imports what it needs late."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import agopconsole
from agopconsole.cli import (
    ansatz,
    data_sets,
    doctor,
    extract,
    inspection,
    maps,
    report,
    run,
    runs,
    study,
    tui,
    tune,
    verify,
    worker,
)
from agopconsole.cli.settings import Settings

app = typer.Typer(
    help="Queue, watch and compare network initialisations drawn from the feature matrices (NFM, AGOP) of a trained"
    " network.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"agopconsole {agopconsole.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def global_options(
    context: typer.Context,
    db: Annotated[Path, typer.Option("--db", envvar="AGOPCONSOLE_DB", help="the store")] = Path("runs.db"),
    data_dir: Annotated[
        Path | None,
        typer.Option(envvar="AGOPCONSOLE_DATA", help="folder of the data sets (default: in the user's cache folder)"),
    ] = None,
    version: Annotated[  # noqa: ARG001 - its callback prints
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Keeps the global options for the command that follows; without one, prints the help."""
    context.obj = Settings(db.expanduser(), data_dir and data_dir.expanduser())
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command("run")(run.run)
app.command("study")(study.study)
app.command("tune")(tune.tune)
app.command("worker")(worker.worker)
runs.app.command("verify")(verify.verify)  # which reaches the engine, as nothing else of `runs` does
app.add_typer(runs.app, name="runs")
app.command("tui")(tui.tui)
app.command("report")(report.report)
app.command("inspect")(inspection.inspect)
app.command("extract")(extract.extract)
app.command("ansatz")(ansatz.ansatz)
app.command("maps")(maps.maps)
app.add_typer(data_sets.app, name="datasets")
app.command("doctor")(doctor.doctor)
