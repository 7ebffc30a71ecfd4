"""`agopconsole study`: a grid of runs from a TOML file, and the table that compares them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agopconsole.cli.options import Mirror, OnFinish, TableFormat
from agopconsole.cli.output import note, out_look, print_json, print_text
from agopconsole.cli.settings import INTERRUPTED, Settings, settings_of
from agopconsole.errors import RequestError
from agopconsole.wording import counted

if TYPE_CHECKING:
    from agopconsole.store import Store
    from agopconsole.study import Study


def study(
    context: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="a TOML file, or the name of a study at hand or in the store")
    ],
    queue: Annotated[bool, typer.Option("--queue", help="put its runs in the queue and print their ids")] = False,
    mirror: Mirror = None,
    on_finish: OnFinish = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say what there is to train and how long it takes, and train nothing")
    ] = False,
    output_format: TableFormat = "table",
) -> int:
    """Train what a study lacks; print its report."""
    from agopconsole.queue import requests

    if queue and dry_run:
        raise RequestError("--dry-run queues nothing; give it or --queue")
    settings = settings_of(context)
    wanted = wanted_study(settings, file)
    requests.check(wanted.runs, settings.data)
    with settings.store_if_any() as there:
        check_sources(there, wanted)
        if dry_run:
            from agopconsole.cli.dry_run import print_dry_run

            print_dry_run(there, wanted, output_format)
            return 0
    if not queue:
        return work_on(settings, wanted, mirror=mirror, on_finish=on_finish, output_format=output_format)
    with settings.store(create=True) as store:
        queued = _submit(store, wanted, mirror, on_finish)[1]
    if output_format == "json":
        print_json({"study": wanted.name, "ids": queued})
    elif queued:
        print_text("\n".join(map(str, queued)))
    return 0


def check_sources(store: Store | None, wanted: Study) -> None:
    """Checks the runs of the store that what is missing of a study starts from.

    Raises:
        RequestError: naming one that is not there, or came to nothing.
    """
    from agopconsole.queue import requests
    from agopconsole.queue.plan import plan

    named = [spec for spec in wanted.runs if spec.method.needs_source and spec.source.startswith("run:")]
    requests.check_sources(store, plan(store, named).missing)


def work_on(
    settings: Settings,
    wanted: Study,
    *,
    mirror: str | None = None,
    on_finish: str | None = None,
    output_format: str = "table",
) -> int:
    """Trains here and now what the store lacks of a study, prints its report; the exit status."""
    from agopconsole.cli.foreground import work_through
    from agopconsole.queue.plan import plan

    with settings.store(create=True) as store:
        ids, interrupted = work_through(
            settings, store, lambda: _submit(store, wanted, None, on_finish)[0], mirror=mirror, cancels=False
        )
        ended, complete = store.runs(ids=ids), plan(store, wanted.runs).is_complete
        _print_report(store, wanted, output_format)
    if interrupted:
        left = sum(run.status in ("queued", "waiting", "running") for run in ended)
        note(f"interrupted; {counted(left, 'run')} left in the queue; the same command goes on with them")
        return INTERRUPTED
    return 0 if complete else 1


def wanted_study(settings: Settings, file: str) -> Study:
    """The study in the file of that path, or of that name: in `configs`, or else as the store recorded it.

    Raises:
        RequestError: if there is none, or it is not sound.
    """
    from agopconsole.study import parse_study, read_study

    try:
        path = find_study(file)
    except RequestError:
        recorded = _recorded_text(settings, file)
        if not recorded:
            raise
        return parse_study(recorded, default_name=file, origin=f"study {file} in {settings.db}")
    return read_study(path)


def _recorded_text(settings: Settings, name: str) -> str:
    with settings.store_if_any() as store:
        recorded = store.study_record(name) if store else None
    return recorded.text if recorded else ""


def find_study(file: str) -> Path:
    """The file of that path or, for a bare name, the study of that name in `configs` here or in the package.

    Raises:
        RequestError: if there is none.
    """
    from agopconsole.study import studies_at_hand

    path = Path(file)
    if path.exists() or path.name != file or path.suffix:
        return path
    at_hand = studies_at_hand()
    if file not in at_hand:
        raise RequestError(f"there is no file {file}, and no study of that name; at hand are {', '.join(at_hand)}")
    return at_hand[file]


def _submit(store: Store, study: Study, mirror: str | None, on_finish: str | None) -> tuple[list[int], list[int]]:
    """Queues what is missing of a study; the ids of all its runs, and of those that were queued now.

    A command goes to those too that are on their way already, in place of the one that they had.
    """
    from agopconsole.queue import requests
    from agopconsole.queue.plan import plan

    planned = plan(store, study.runs)
    queued = requests.submit(store, planned.missing, mirror=mirror, on_finish=on_finish)
    store.record_study(study)  # not before: one that is refused leaves nothing
    known = planned.known
    if on_finish is not None:
        store.set_on_finish(known, on_finish)
    if study.description:
        note(study.description)
    note(f"study {study.name}: {counted(len(study.runs), 'run')}, {len(known)} of them done or on their way already")
    if planned.lost:
        note(f"{len(planned.lost)} of them cannot be trained: what they start from diverged")
    return sorted(known + queued), queued


def _print_report(store: Store, study: Study, output_format: str) -> None:
    from agopconsole.analysis.report import build_report
    from agopconsole.analysis.report_text import render_report

    report = build_report(store, study=study.name, baseline=study.baseline)
    print_text(render_report(report, output_format, out_look()))
