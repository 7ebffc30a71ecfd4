"""`agopconsole runs pause|resume|retry|priority|edit|rm|export`: requests about runs that the store holds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from agopconsole.cli.options import OfStudy, check_study, takes_spec
from agopconsole.cli.output import STANDARD_OUTPUT, note, out_look, print_text
from agopconsole.cli.settings import settings_of
from agopconsole.errors import RequestError
from agopconsole.store import RunRecord, Store
from agopconsole.wording import counted

RunIds = Annotated[list[str] | None, typer.Argument(metavar="ID...", help="ids of runs, or spans of them as in 5-9")]
WholeQueue = Annotated[
    bool, typer.Option("--queue", help="the queue: no worker starts another run while it is paused")
]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask")]
Target = Annotated[
    Path,
    typer.Option("--out", metavar="PLACE", help="the file, - for standard output, or for tensorboard the folder"),
]
ExportFormat = Annotated[
    Literal["json", "csv", "markdown", "tensorboard"] | None,
    typer.Option("--format", help="how (default: as the end of the file's name says, .json, .csv or .md)"),
]


def pause(context: typer.Context, run_ids: RunIds = None, study: OfStudy = None, queue: WholeQueue = False) -> None:
    """Leave runs alone until they are resumed. One in training stops at its next step with a checkpoint."""
    _ask(context, "pause", run_ids, study, queue=queue)


def resume(context: typer.Context, run_ids: RunIds = None, study: OfStudy = None, queue: WholeQueue = False) -> None:
    """Put paused runs back into the queue. They go on from their checkpoints."""
    _ask(context, "resume", run_ids, study, queue=queue)


def retry(
    context: typer.Context,
    run_ids: RunIds = None,
    study: OfStudy = None,
    from_scratch: Annotated[bool, typer.Option(help="forget what they yielded and begin anew")] = False,
) -> None:
    """Queue runs again. Failed and cancelled ones go on from their last checkpoint, done ones become new runs."""
    _ask(context, "retry_from_scratch" if from_scratch else "retry", run_ids, study)


def priority(
    context: typer.Context,
    run_id: Annotated[int, typer.Argument(metavar="ID")],
    number: Annotated[int, typer.Argument(metavar="N", min=-1_000_000, max=1_000_000, help="0 is usual")],
) -> None:
    """Have a run claimed before those of lower priority."""
    with settings_of(context).store() as store:
        store.set_priority(run_id, number)
    note(f"run #{run_id} has priority {number}")


@takes_spec
def edit(context: typer.Context, given: dict[str, Any], run_id: Annotated[int, typer.Argument(metavar="ID")]) -> None:
    """Change what is asked of a run that has not begun."""
    from agopconsole.queue import requests

    if not given:
        raise RequestError("nothing to change: name a field, as in --lr 0.01")
    with settings_of(context).store() as store:
        requests.edit(store, run_id, given)
    note(f"run #{run_id} is changed: {', '.join(f'{name} {value}' for name, value in given.items())}")


def remove(context: typer.Context, run_ids: RunIds = None, study: OfStudy = None, yes: Yes = False) -> None:
    """Remove runs, with metrics, logs and checkpoints. All of them or none."""
    from agopconsole.queue import actions

    with settings_of(context).store() as store:
        runs = chosen_runs(store, run_ids, study)
        named = counted(len(runs), "run")
        if not yes and not typer.confirm(f"remove {named} with metrics, logs and checkpoints?", err=True):
            raise RequestError("nothing was removed")
        note(actions.remove(store, runs))


def export(
    context: typer.Context,
    out: Target,
    run_ids: RunIds = None,
    study: OfStudy = None,
    output_format: ExportFormat = None,
) -> None:
    """Write runs to a file or to standard output. With all epochs (JSON, TensorBoard) or as a table."""
    from agopconsole.analysis.event_files import export_events
    from agopconsole.analysis.export import export_runs, runs_as_text

    to_output = str(out) == STANDARD_OUTPUT
    if to_output and output_format in (None, "tensorboard"):
        raise RequestError("--out - is standard output; name its --format: json, csv or markdown")
    with settings_of(context).store() as store:
        runs = chosen_runs(store, run_ids, study)
        if output_format == "tensorboard":
            note(export_events(store, runs, out))
        elif to_output and output_format is not None:
            print_text(runs_as_text(store, runs, output_format, out_look()))
        else:
            note(export_runs(store, runs, out, output_format))


def _ask(
    context: typer.Context, action: str, run_ids: list[str] | None, study: str | None, *, queue: bool = False
) -> None:
    from agopconsole.queue import actions

    with settings_of(context).store() as store:
        if queue:
            if run_ids or study:
                raise RequestError("--queue is about all runs; give no ids and no study with it")
            store.pause_queue(action == "pause")
            note(
                "the queue is paused: what runs goes on, nothing else starts"
                if action == "pause"
                else "the queue goes on"
            )
        else:
            note(actions.perform(store, action, chosen_runs(store, run_ids, study)))


def chosen_runs(store: Store, run_ids: list[str] | None, study: str | None) -> list[RunRecord]:
    """The runs of these ids and spans, and those of the study; a span takes what there is of it."""
    check_study(store, study)
    chosen = {run.id: run for run in store.runs(study=study)} if study is not None else {}
    for text in run_ids or []:
        span = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", text)
        if span is None:
            raise RequestError(f"'{text}' is no id of a run and no span as in 5-9")
        if span[2] is None:
            chosen[int(text)] = store.run(int(text))
        else:
            chosen |= {run.id: run for run in store.runs() if int(span[1]) <= run.id <= int(span[2])}
    if not chosen:
        raise RequestError("which runs? give ids or spans of them that are in the store, or --study TEXT")
    return [chosen[run_id] for run_id in sorted(chosen)]
