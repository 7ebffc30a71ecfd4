"""`agopconsole worker`: works through the queue."""

from __future__ import annotations

from typing import Annotated

import typer

from agopconsole.cli.options import Mirror
from agopconsole.cli.output import note
from agopconsole.cli.settings import INTERRUPTED, settings_of


def worker(
    context: typer.Context,
    drain: Annotated[bool, typer.Option("--drain", help="end when the queue is empty")] = False,
    mirror: Mirror = None,
) -> int:
    """Work through the queue, until Ctrl-C."""
    from agopconsole.cli.foreground import show
    from agopconsole.cli.watch import PlainView
    from agopconsole.queue.worker import Worker

    settings = settings_of(context)
    with settings.store(create=not drain) as store, Worker(store, settings.data, mirror=mirror) as worker:
        note(f"{store.open_count(statuses=('queued', 'waiting'))} runs in the queue of {store.path}")
        with PlainView(store, None) as view:
            worker.run(drain=drain, meanwhile=lambda: show(view, worker))
    if worker.signals:
        note("interrupted; what was running is in the queue again, from its last checkpoint")
        return INTERRUPTED
    return 0
