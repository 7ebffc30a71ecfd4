"""`agopconsole worker`: works through the queue."""

from __future__ import annotations

from typing import Annotated

import typer

from agopconsole.cli.options import Mirror, OnFinish
from agopconsole.cli.output import note
from agopconsole.cli.settings import INTERRUPTED, settings_of


def worker(
    context: typer.Context,
    drain: Annotated[bool, typer.Option("--drain", help="end when the queue is empty")] = False,
    devices: Annotated[
        str, typer.Option("--devices", metavar="NAMES", help="auto, or cuda:0,cuda:1 or cpu: what to give to runs")
    ] = "auto",
    slots: Annotated[int, typer.Option("--slots", min=1, metavar="N", help="runs at once on each device")] = 1,
    mirror: Mirror = None,
    on_finish: OnFinish = None,
) -> int:
    """Work through the queue, until Ctrl-C."""
    from agopconsole.cli.foreground import show
    from agopconsole.cli.watch import PlainView
    from agopconsole.queue.devices import choose
    from agopconsole.queue.slots import Slots
    from agopconsole.queue.worker import Worker

    settings = settings_of(context)
    places = Slots(choose(devices), slots)
    with (
        settings.store(create=not drain) as store,
        Worker(store, settings.data, mirror=mirror, slots=places, on_finish=on_finish) as worker,
    ):
        note(f"{store.open_count(statuses=('queued', 'waiting'))} runs in the queue of {store.path}")
        with PlainView(store, None) as view:
            worker.run(drain=drain, meanwhile=lambda: show(view, worker))
        left = store.open_count(statuses=("queued",)) - store.open_count(None, ("queued",), places.accepted)
    if left:
        note(f"{left} runs in the queue ask for a device that this worker does not have")
    if worker.signals:
        note("interrupted; what was running is in the queue again, from its last checkpoint")
        return INTERRUPTED
    return 0
