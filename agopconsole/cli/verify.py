"""`agopconsole runs verify`: a stored run is trained once more and compared with itself, bit for bit."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from agopconsole.cli.options import Mirror
from agopconsole.cli.output import note, print_json, print_text
from agopconsole.cli.settings import settings_of

if TYPE_CHECKING:
    from agopconsole.queue.rerun import Verdict


def verify(
    context: typer.Context,
    run_id: Annotated[int, typer.Argument(metavar="ID")],
    mirror: Mirror = None,
    output_format: Annotated[Literal["table", "json"], typer.Option("--format", help="how to print it")] = "table",
) -> int:
    """Train a run once more and compare the two. In a temporary folder, and bit for bit."""
    from agopconsole.queue.rerun import rerun

    settings = settings_of(context)
    with settings.store() as store, tempfile.TemporaryDirectory(prefix="agopconsole-verify-") as folder:
        verdict = rerun(store, run_id, data=settings.data, folder=Path(folder), mirror=mirror, tell=note)
    if output_format == "json":
        print_json(_as_dict(verdict))
    else:
        print_text(_in_words(verdict))
    return 0 if verdict.parting is None else 1


def _in_words(verdict: Verdict) -> str:
    run, parting = verdict.run, verdict.parting
    epochs = "its epoch" if verdict.epochs == 1 else f"all {verdict.epochs} epochs"
    lines = [f"{run.title}: equal to the stored run, bit for bit, in {epochs}"]
    if parting is not None:
        lines = [
            f"{run.title}: parts from the stored run {parting.where}: {parting.name} is {parting.now}, stored"
            f" {parting.stored}; epochs that are equal before it: {verdict.epochs}"
        ]
    elif run.status == "done":
        lines[0] += " and in its test accuracy"
    else:
        lines[0] += ", and diverges where it did"
    lines += [f"trained again first: run #{source}" for source in verdict.sources]
    differing = [f"{name} {now} (then {then})" for name, (then, now) in verdict.environment.items()]
    return "\n".join([*lines, f"not as it was: {', '.join(differing)}" if differing else "trained as it was"])


def _as_dict(verdict: Verdict) -> dict[str, Any]:
    parting = verdict.parting
    return {
        "id": verdict.run.id,
        "equal": parting is None,
        "epochs_equal": verdict.epochs,
        "parting": parting
        and {"where": parting.where, "name": parting.name, "stored": parting.stored, "now": parting.now},
        "sources_trained_again": list(verdict.sources),
        "environment": {name: {"then": then, "now": now} for name, (then, now) in verdict.environment.items()},
    }
