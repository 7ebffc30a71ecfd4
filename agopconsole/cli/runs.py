"""`agopconsole runs`: what is in the store, and the requests to do something about it."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated

import typer

from agopconsole import catalogue
from agopconsole.cli import imports, run_requests
from agopconsole.cli.options import OfStudy, TableFormat, check_study
from agopconsole.cli.output import note, print_json, print_table, print_text
from agopconsole.cli.settings import settings_of
from agopconsole.errors import RequestError, unknown_choice
from agopconsole.wording import printable

app = typer.Typer(help="What there is of runs, and what to do about them.", rich_markup_mode=None)

RunId = Annotated[int, typer.Argument(metavar="ID", help="the run's id, as `runs list` shows it")]

_FOLLOW_SECONDS = 0.3

_HISTORY = (
    "epoch",
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "loss_gap",
    "seconds",
    "images_per_second",
)


@app.command("list")
def list_runs(
    context: typer.Context,
    study: OfStudy = None,
    status: Annotated[
        str | None, typer.Option(metavar="TEXT", help=f"one of {', '.join(catalogue.STATUSES)}")
    ] = None,
    output_format: TableFormat = "table",
) -> None:
    """The runs of the store, oldest first."""
    from agopconsole.cli.queue_text import queue_line
    from agopconsole.cli.run_text import run_columns

    if status is not None and status not in catalogue.STATUSES:
        raise unknown_choice("status", status, catalogue.STATUSES)
    with settings_of(context).store() as store:
        check_study(store, study)
        rows = [run.summary() for run in store.runs(study=study, status=status)]
        line, _ = queue_line(store)
    print_table(rows, run_columns(rows), output_format)
    if line and output_format == "table":
        note(line)


@app.command("show")
def show(context: typer.Context, run_id: RunId, output_format: TableFormat = "table") -> None:
    """One run, whole: what was asked for and what came of it. Its start and its ansatz by layer, and its epochs."""
    from agopconsole.analysis import verdict
    from agopconsole.cli.run_text import HISTORY_COLUMNS, RUN_ANSATZ_COLUMNS, START_COLUMNS, describe

    with settings_of(context).store() as store:
        run = store.run(run_id)
        layers = store.start(run_id)
        history = [{name: getattr(epoch, name) for name in _HISTORY} for epoch in store.history(run_id)]
        measured = store.ansatz([run_id]).get(run_id, [])
    start = [asdict(layer) for layer in layers]
    ansatz = [{"epoch": epoch.epoch, **asdict(layer)} for epoch in measured for layer in epoch.layers]
    if output_format == "json":
        parts = {"spec": run.asked, "provenance": run.provenance(), "start": start, "history": history}
        print_json({**run.summary(), **parts, "ansatz": ansatz})
        return
    if output_format == "table":
        print_text(printable(describe(run)))
        if start:
            print_table(start, START_COLUMNS, output_format)
            print_text(verdict.in_words(layers, catalogue.normed_layers(run.model)))
        if ansatz:
            print_table(ansatz, RUN_ANSATZ_COLUMNS, output_format)
    print_table(history, HISTORY_COLUMNS, output_format)


@app.command("logs")
def logs(
    context: typer.Context,
    run_id: RunId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on until the run has ended")] = False,
    output_format: TableFormat = "table",
) -> None:
    """The log of a run, tracebacks included."""
    from agopconsole.cli.run_text import LOG_COLUMNS

    with settings_of(context).store() as store:
        if output_format != "table":
            print_table([asdict(line) for line in store.logs(store.run(run_id).id)], LOG_COLUMNS, output_format)
            return
        told, ended = 0, False
        while not ended:
            ended = (
                not follow or store.run(run_id).status in catalogue.ENDED
            )  # asked first, so that no line is missed
            lines = store.logs(store.run(run_id).id)
            for line in lines[told:]:
                print_text(printable(f"{line.time}  {line.level:7}  {line.message}"))
            told = len(lines)
            if not ended:
                time.sleep(_FOLLOW_SECONDS)


@app.command("cancel")
def cancel(
    context: typer.Context,
    run_ids: run_requests.RunIds = None,
    study: OfStudy = None,
) -> None:
    """Stop runs. One that is being trained stops at its next step and keeps its last checkpoint."""
    from agopconsole.queue import requests

    with settings_of(context).store() as store:
        check_study(store, study)
        wanted = run_requests.chosen_runs(store, run_ids, None) if run_ids else []
        if ended := [run for run in wanted if run.status in catalogue.ENDED]:
            raise RequestError(f"run #{ended[0].id} is {ended[0].status} already; nothing was cancelled")
        if study is not None:
            wanted += [run for run in store.runs(study=study) if run.status not in catalogue.ENDED]
        elif not wanted:
            raise RequestError("which runs? give their ids, or --study TEXT for all of a study that have not ended")
        # The later ones first: a run whose source is cancelled before it would be failed instead.
        for run_id in sorted({run.id for run in wanted}, reverse=True):
            requests.cancel(store, run_id)
            note(f"run #{run_id} {'stops' if store.run(run_id).status == 'running' else 'is cancelled'}")


app.command("pause")(run_requests.pause)
app.command("resume")(run_requests.resume)
app.command("retry")(run_requests.retry)
app.command("priority")(run_requests.priority)
app.command("edit")(run_requests.edit)
app.command("rm")(run_requests.remove)
app.command("export")(run_requests.export)
app.command("import")(imports.import_logs)
