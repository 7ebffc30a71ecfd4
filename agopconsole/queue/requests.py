"""What a user asks of the queue: checked whole, then written."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from agopconsole.catalogue import ENDED
from agopconsole.queue.identity import is_alive
from agopconsole.queue.paths import portable
from agopconsole.spec import RunSpec
from agopconsole.store import Store


def check(specs: Sequence[RunSpec]) -> None:
    """Checks what a spec alone cannot: that its files, its folders and its device are there.

    Raises:
        RequestError: naming the one that is not.
    """
    for spec in specs:
        spec.check_files()
    for device in {spec.device for spec in specs} - {"auto", "cpu"}:
        from agopconsole.backend.devices import pick  # imports torch, which the two that are always there spare

        pick(device)


def submit(store: Store, specs: Sequence[RunSpec]) -> list[int]:
    """Queues checked runs, all or none, and before them the source runs that they wait for; the ids of `specs`.

    Raises:
        RequestError: if a spec starts from a run that is not there or came to nothing.
    """
    return store.add_runs([portable(spec, store.path) for spec in specs])


def find(store: Store, spec: RunSpec) -> int | None:
    """The run of that spec in its study that has a result or is on its way, or None."""
    found = store.find_run(portable(spec, store.path).fingerprint, spec.study, diverged=True)
    return found.id if found else None


def find_or_submit(store: Store, source: RunSpec) -> int:
    """The run that trains a source: one that is done or on its way, in whichever study, or a new one."""
    found = store.find_run(portable(source, store.path).fingerprint)
    return found.id if found else submit(store, [source])[0]


def starts_from_run(spec: RunSpec) -> bool:
    """Whether the run starts from another run of the store."""
    return spec.method.needs_source and spec.source.startswith(("run:", "dataset:"))


def with_sources(store: Store, ids: Collection[int]) -> set[int]:
    """The runs `ids` and all runs that they start from, directly or not."""
    found: set[int] = set()
    new = set(ids)
    while new:
        found |= new
        new = {run.source_run for run in store.runs(ids=new) if run.source_run is not None} - found
    return found


def cancel(store: Store, run_id: int) -> None:
    """Asks for a run to stop: its worker ends it; one that has not begun, or whose process is gone, ends at once.

    Raises:
        RequestError: if there is no such run, or it has ended.
    """
    store.request_cancel(run_id)
    run = store.run(run_id)
    if run.status == "running" and not is_alive(run.owner, run.heartbeat_at):
        store.put_down(run)


def cancel_with_sources(store: Store, run_id: int) -> None:
    """Cancels a run if it is still open, and the runs that it starts from if no other run waits for them."""
    for wanted in sorted(with_sources(store, [run_id]), reverse=True):
        if store.run(wanted).status not in ENDED and not store.waiting_for(wanted):
            cancel(store, wanted)
