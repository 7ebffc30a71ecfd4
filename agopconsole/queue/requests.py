"""What a user asks of the queue: checked whole, then written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agopconsole.catalogue import ENDED
from agopconsole.errors import RequestError
from agopconsole.queue.code import code_state
from agopconsole.queue.identity import is_alive
from agopconsole.queue.paths import located, portable
from agopconsole.queue.sizes import check_sizes
from agopconsole.spec import RunSpec
from agopconsole.store import Store


def check(specs: Sequence[RunSpec], data: Path | None = None) -> None:
    """Checks what a spec alone cannot: that its files, its folders, its images and its device are there.

    Args:
        specs: of the runs.
        data: folder of the data sets, where folders of pictures are to be counted as well.

    Raises:
        RequestError: naming the one that is not.
    """
    for spec in specs:
        spec.check_files()
    check_sizes(specs, data)
    for device in {spec.device for spec in specs} - {"auto", "cpu"}:
        from agopconsole.backend.devices import pick  # imports torch, which the two that are always there spare

        pick(device)


def check_sources(store: Store | None, specs: Sequence[RunSpec]) -> None:
    """Checks that the runs of the store that specs start from, directly or not, are there and came to something.

    Args:
        store: None where none is made yet.
        specs: of runs that are to be trained.

    Raises:
        RequestError: naming the first that is not there, or came to nothing.
    """
    for run_id in dict.fromkeys(_run_below(store, spec) for spec in specs):
        if run_id is None:
            continue
        if store is None:
            raise RequestError(f"source 'run:{run_id}': there is no run #{run_id}, as there is no store yet")
        store.source_run(run_id)


def _run_below(store: Store | None, spec: RunSpec) -> int | None:
    """The run of the store that a spec starts from, or that the runs do which must be trained for it first."""
    while (source := spec.source_run()) is not None:
        if store is not None and store.find_run(portable(source, store.path).fingerprint) is not None:
            return None
        spec = source
    return int(spec.source.removeprefix("run:")) if starts_from_run(spec) else None


def submit(
    store: Store, specs: Sequence[RunSpec], *, mirror: str | None = None, on_finish: str | None = None
) -> list[int]:
    """Queues checked runs, all or none, and before them the source runs that they wait for; the ids of `specs`.

    Args:
        store: with the queue.
        specs: what to train.
        mirror: where whichever worker takes them is to fetch data sets and weights from.
        on_finish: a command to be run once each of `specs` has ended.

    Raises:
        RequestError: if a spec starts from a run that is not there or came to nothing.
    """
    wanted = [portable(spec, store.path) for spec in specs]
    return store.add_runs(wanted, mirror=mirror, on_finish=on_finish, code=code_state())


def edit(store: Store, run_id: int, changes: Mapping[str, Any]) -> None:
    """Changes fields of a run that has not begun.

    Raises:
        RequestError: if there is no such run, it has begun, or the changed spec is not sound.
    """
    spec = RunSpec.parse({**asdict(located(store.run(run_id).request, store.path)), **changes})
    check([spec])
    store.replace_spec(run_id, portable(spec, store.path))


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
    return spec.source_run() is not None or (spec.method.needs_source and spec.source.startswith("run:"))


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
    _put_down_if_dead(store, run_id)


def pause(store: Store, run_id: int) -> None:
    """Asks for a run to be left alone: its worker stops it; one that does not run, or whose process is gone, at once.

    Raises:
        RequestError: if there is no such run, or it has ended.
    """
    store.request_pause(run_id)
    _put_down_if_dead(store, run_id)


def _put_down_if_dead(store: Store, run_id: int) -> None:
    run = store.run(run_id)
    if run.status == "running" and not is_alive(run.owner, run.heartbeat_at):
        store.put_down(run)


def cancel_with_sources(store: Store, run_id: int) -> None:
    """Cancels a run if it is still open, and the runs that it starts from if no other run waits for them."""
    for wanted in sorted(with_sources(store, [run_id]), reverse=True):
        if store.run(wanted).status not in ENDED and not store.waiting_for(wanted):
            cancel(store, wanted)
