"""`agopconsole run`: one run, in the foreground or into the queue."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from agopconsole.cli.options import ConfigFile, Mirror, OnFinish, TableFormat, read_spec, takes_spec
from agopconsole.cli.output import note, print_json, print_table, print_text
from agopconsole.cli.settings import INTERRUPTED, settings_of


@takes_spec
def run(
    context: typer.Context,
    given: dict[str, Any],
    config: ConfigFile = None,
    queue: Annotated[bool, typer.Option("--queue", help="put it in the queue and print its id")] = False,
    mirror: Mirror = None,
    on_finish: OnFinish = None,
    output_format: TableFormat = "table",
) -> int:
    """Train one network, or queue it."""
    from agopconsole.cli.foreground import work_through
    from agopconsole.cli.run_text import run_columns
    from agopconsole.queue import requests

    settings = settings_of(context)
    spec = read_spec(config, given)
    requests.check([spec], settings.data)
    with settings.store_if_any() as there:
        requests.check_sources(there, [spec])
    with settings.store(create=True) as store:
        if queue:
            [run_id] = requests.submit(store, [spec], mirror=mirror, on_finish=on_finish)
            if output_format == "json":
                print_json({"id": run_id})
            else:
                print_text(str(run_id))
            return 0
        [run_id], interrupted = work_through(
            settings,
            store,
            lambda: requests.submit(store, [spec], on_finish=on_finish),
            mirror=mirror,
            cancels=True,
        )
        ended = store.run(run_id)
        if output_format == "json":
            print_json(ended.summary())
        else:
            print_table([ended.summary()], run_columns([ended.summary()]), output_format)
    if interrupted:
        note(
            f"interrupted; {f'the checkpoint of epoch {ended.epoch} is kept' if ended.epoch else 'no epoch was over'}"
        )
        return INTERRUPTED
    return 0 if ended.status == "done" else 1
