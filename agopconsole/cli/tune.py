"""`agopconsole tune`: the best learning rate, weight decay and momentum of each method, for a comparison there."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agopconsole.cli.options import Devices, Mirror, SlotsEach, TableFormat
from agopconsole.cli.output import STANDARD_OUTPUT, note, print_json, print_table
from agopconsole.cli.settings import INTERRUPTED, Settings, settings_of
from agopconsole.errors import RequestError, WorkError

if TYPE_CHECKING:
    from agopconsole.queue.tuner import Found
    from agopconsole.study import Study


def tune(
    context: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="a TOML file, or the name of a study at hand or in the store")
    ],
    trials: Annotated[
        int | None, typer.Option("--trials", metavar="N", help="settings to try of each method [20, or the study's]")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="the comparison as a study [NAME-best.toml]")
    ] = None,
    then_compare: Annotated[
        bool, typer.Option("--then-compare", help="train that study at once and print its report")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say what would be tried and how long it takes, and train nothing")
    ] = False,
    devices: Devices = "auto",
    slots: SlotsEach = 1,
    mirror: Mirror = None,
    output_format: TableFormat = "table",
) -> int:
    """Find each method's best settings."""
    from agopconsole.cli.study import wanted_study, work_on
    from agopconsole.queue import requests
    from agopconsole.queue.tuner import naming_storage
    from agopconsole.study import read_study
    from agopconsole.tuning import check_trials

    if importlib.util.find_spec("optuna") is None:
        raise RequestError("tune needs Optuna, which is not installed: pip install 'agopconsole[tune]'")
    settings = settings_of(context)
    study = wanted_study(settings, file)
    requests.check(study.runs, settings.data)
    wanted = study.tuning.trials if trials is None else check_trials(trials)
    target = out or Path(f"{study.name}-best.toml".replace("/", "-"))
    _check(target, file)
    with settings.store_if_any() as there:
        storage = settings.db.resolve().with_suffix(".optuna.db")
        requests.check_sources(there, study.runs)
        if dry_run:
            from agopconsole.cli.tune_dry_run import print_tune_dry_run

            with naming_storage(storage):
                print_tune_dry_run(there, study, wanted, storage, output_format)
            return 0
    with naming_storage(storage):
        found, interrupted = _search(settings, study, wanted, storage, devices, slots, mirror)
    if interrupted:
        note("interrupted; the same command goes on with the trials that are left")
        return INTERRUPTED
    _print(study, found, output_format)
    for search in found:
        if search.error:
            note(f"{search.cell.label} on {search.cell.dataset} was given up: {search.error}")
    _write(study, found, target)
    note(f"the comparison at each one's best is written to {target}: agopconsole study {target}")
    if then_compare:
        return work_on(settings, read_study(target), mirror=mirror, output_format=output_format)
    return 1 if any(search.error for search in found) else 0


def _check(target: Path, file: str) -> None:
    """Refuses before hours of search where the comparison could not be written, or would take the study's place.

    Raises:
        RequestError: if so.
    """
    from agopconsole.analysis.export import check_file

    if str(target) == STANDARD_OUTPUT:
        raise RequestError("--out - is standard output, which takes the table; name a file for the study")
    check_file(target, "--out")
    if target.resolve() == Path(file).resolve():
        raise RequestError(f"--out '{target}' is the study itself")


def _search(
    settings: Settings, study: Study, trials: int, storage: Path, devices: str, slots: int, mirror: str | None
) -> tuple[Sequence[Found], bool]:
    """What the searches came to, and whether a signal put an end to them."""
    from agopconsole.queue.devices import choose
    from agopconsole.queue.slots import Slots
    from agopconsole.queue.tuner import Tuner, storage_url
    from agopconsole.queue.worker import Worker

    places = Slots(choose(devices), slots)
    with settings.store(create=True) as store, Worker(store, settings.data, mirror=mirror, slots=places) as worker:
        tuner = Tuner(
            store, study, storage_url(storage), trials=trials, at_once=places.count, mirror=mirror, tell=note
        )
        said: list[int] = []

        def meanwhile() -> None:
            if worker.signals and not said:
                note("stopping at the next step; Ctrl-C again ends it at once")
                said.append(worker.signals[0])
            if not worker.signals:
                tuner.update()

        meanwhile()
        worker.run(drain=True, only=tuner.ids, meanwhile=meanwhile)
        return tuner.found(), bool(worker.signals)


def _print(study: Study, found: Sequence[Found], output_format: str) -> None:
    from agopconsole.analysis.tables import Column, number

    tuned = list(study.tuning.spans)
    rows = [_row(search, tuned) for search in found]
    if output_format == "json":
        print_json({"study": study.name, "rows": rows})
        return
    columns = [
        *([Column("dataset", "data set")] if len({row["dataset"] for row in rows}) > 1 else []),
        Column("method", "method"),
        Column("trials", "trials", "right"),
        Column("pruned", "pruned", "right"),
        number("own", "own settings, val %"),
        number("best", "best, val %"),
        *(Column(name, name.replace("_", " "), "right") for name in tuned),
        Column("run", "run", "right"),
    ]
    print_table(rows, columns, output_format)


def _row(search: Found, tuned: Sequence[str]) -> dict[str, Any]:
    best = search.best
    return {
        "dataset": search.cell.dataset,
        "method": search.cell.label,
        "trials": search.trials,
        "pruned": search.pruned,
        "own": search.own,
        "best": best.best_val_accuracy if best else None,
        **{name: getattr(best.request, name) if best else None for name in tuned},
        "run": best.id if best else None,
    }


def _write(study: Study, found: Sequence[Found], target: Path) -> None:
    from agopconsole.study_text import study_text

    tuned = study.tuning.spans
    best = [
        replace(search.cell, **{name: getattr(search.best.request, name) for name in tuned})
        for search in found
        if search.best
    ]
    if not best:
        reason = next((search.error for search in found if search.error), "no trial trained to the end")
        raise WorkError(f"there is nothing to compare: {reason}")
    labels = [spec.label for spec in best]
    target.write_text(
        study_text(
            best,
            name=f"{study.name}-best",
            description=f"The methods of {study.name}, each at its own best {', '.join(study.tuning.spans)}",
            seeds=list(dict.fromkeys(run.seed for run in study.runs)),
            baseline=study.baseline if study.baseline in labels else labels[0],
            heading=f"Written by `agopconsole tune`: the best of the trials in the study {study.name}-tune.",
        ),
        encoding="utf-8",
    )
