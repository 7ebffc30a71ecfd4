"""`agopconsole worker`: works through the queue."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from agopconsole.cli.options import Devices, Mirror, OnFinish, SlotsEach
from agopconsole.cli.output import note
from agopconsole.cli.settings import INTERRUPTED, settings_of
from agopconsole.errors import RequestError
from agopconsole.wording import counted

if TYPE_CHECKING:
    from agopconsole.queue.executor import Executor
    from agopconsole.queue.slots import Slots


def worker(
    context: typer.Context,
    drain: Annotated[bool, typer.Option("--drain", help="end when the queue is empty")] = False,
    until_idle: Annotated[
        float | None,
        typer.Option("--until-idle", min=0, metavar="MINUTES", help="end when it has been empty for so long"),
    ] = None,
    only_one: Annotated[
        bool, typer.Option("--only-one", help="end at once if the store has a worker already, as from cron")
    ] = False,
    devices: Devices = "auto",
    slots: SlotsEach = 1,
    executor: Annotated[
        Literal["local", "ray"],
        typer.Option(
            help="who trains: local, processes of this machine, or ray, a Ray cluster, which gives out the devices"
            " itself; --data-dir is then a path on each of its machines"
        ),
    ] = "local",
    address: Annotated[
        str | None, typer.Option("--address", metavar="ADDRESS", help="of the Ray cluster, as in auto or HOST:6379")
    ] = None,
    mirror: Mirror = None,
    on_finish: OnFinish = None,
) -> int:
    """Work through the queue, until Ctrl-C."""
    from agopconsole.cli.foreground import show
    from agopconsole.cli.watch import PlainView
    from agopconsole.queue.background import only_worker
    from agopconsole.queue.worker import Worker

    if drain and until_idle is not None:
        raise RequestError(
            "--drain ends at once when the queue is empty, --until-idle after a while; give one of them"
        )
    settings = settings_of(context)
    trainer, places = _placed(executor, address, devices, slots)
    with settings.store(create=not drain) as store, only_worker(store) if only_one else nullcontext(True) as free:
        if not free:
            note(f"{store.path} has a worker already")
            return 0
        with Worker(
            store, settings.data, mirror=mirror, slots=places, on_finish=on_finish, executor=trainer
        ) as worker:
            note(f"{counted(store.open_count(statuses=('queued', 'waiting')), 'run')} in the queue of {store.path}")
            with PlainView(store, None) as view:
                worker.run(
                    drain=drain or until_idle is not None,
                    patience=60 * (until_idle or 0),
                    meanwhile=lambda: show(view, worker),
                )
            left = store.open_count(statuses=("queued",)) - store.open_count(None, ("queued",), places.accepted)
    if left:
        asked = f"{counted(left, 'run')} in the queue {'asks' if left == 1 else 'ask'}"
        note(f"{asked} for a device that this worker does not have")
    if worker.signals:
        note("interrupted; what was running is in the queue again, from its last checkpoint")
        return INTERRUPTED
    return 0


def _placed(executor: str, address: str | None, devices: str, slots: int) -> tuple[Executor | None, Slots]:
    """Who trains, and how many runs at once; None for processes of this machine.

    Raises:
        RequestError: if the options do not go together, a device is not here, or Ray is not installed.
        WorkError: if there is no cluster.
    """
    from agopconsole.queue.devices import choose
    from agopconsole.queue.slots import Slots

    if executor == "local":
        if address is not None:
            raise RequestError("--address is that of a Ray cluster; give --executor ray with it")
        return None, Slots(choose(devices), slots)
    if devices != "auto":
        raise RequestError("Ray gives out the devices of its cluster itself; leave out --devices")
    from agopconsole.queue.ray_executor import RayExecutor

    cluster = RayExecutor(address)
    return cluster, cluster.slots(slots)
