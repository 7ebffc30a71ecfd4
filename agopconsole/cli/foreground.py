"""Works through some runs here and now, while the person who asked for them watches."""

from __future__ import annotations

import signal
from collections.abc import Callable

from agopconsole.cli.output import note
from agopconsole.cli.settings import Settings
from agopconsole.cli.watch import View, watch
from agopconsole.queue.requests import cancel_with_sources, with_sources
from agopconsole.queue.worker import Worker
from agopconsole.store import Store


def show(view: View, worker: Worker) -> None:
    """Brings the view up to date, also about a worker that was told to stop."""
    if worker.signals:
        view.say("stopping at the next step; Ctrl-C again ends it at once")
    while worker.commands.warnings:
        view.say(worker.commands.warnings.pop(0))
    view.update()


def work_through(
    settings: Settings, store: Store, request: Callable[[], list[int]], *, mirror: str | None, cancels: bool
) -> tuple[list[int], bool]:
    """Makes a request and works until its runs have ended, whoever trains them.

    Args:
        settings: of the command.
        store: the open store.
        request: queues the runs and returns their ids; it is called while the engine is being imported elsewhere.
        mirror: where to fetch data sets and weights from, in place of their published addresses.
        cancels: whether Ctrl-C cancels the runs; else they are in the queue again, as after any other signal.

    Returns:
        the ids, and whether a signal put an end to the work.
    """
    with Worker(store, settings.data, mirror=mirror) as worker:
        ids = request()
        all_ids = with_sources(store, ids)
        try:
            with watch(store, all_ids, ids) as view:
                worker.run(drain=True, only=all_ids, meanwhile=lambda: show(view, worker))
        finally:  # the third Ctrl-C comes out of there as an exception
            if cancels and signal.SIGINT in worker.signals:
                for run_id in ids:
                    cancel_with_sources(store, run_id)
                worker.run_commands(all_ids)
                for warning in worker.commands.warnings:
                    note(warning)
        return ids, bool(worker.signals)
