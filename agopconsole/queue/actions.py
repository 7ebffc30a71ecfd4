"""What can be asked of runs: which ones each request is for, and how it is put to the store."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agopconsole.catalogue import ENDED
from agopconsole.errors import RequestError
from agopconsole.store import RunRecord, Store
from agopconsole.wording import counted


@dataclass(frozen=True, slots=True)
class RunAction:
    """One request.

    Attributes:
        done: what has become of the runs, in a word.
        wants: what a run must be.
        applies: whether a run is that.
        ask: puts the request.
    """

    done: str
    wants: str
    applies: Callable[[RunRecord], bool]
    ask: Callable[[Store, RunRecord], object]


def perform(store: Store, name: str, runs: Sequence[RunRecord]) -> str:
    """Asks it of those of `runs` that it is for; what has become of them, in words.

    Raises:
        RequestError: if it is for none of them.
    """
    action = ACTIONS[name]
    now = store.runs(ids=[run.id for run in runs])
    # The later ones first: a run whose source is cancelled before it would be failed instead.
    chosen = [run for run in reversed(now) if action.applies(run)]
    if not chosen:
        raise RequestError(f"nothing to do: {titles(now)} {'is' if len(now) == 1 else 'are'} not {action.wants}")
    for run in chosen:
        action.ask(store, run)
    left = len(now) - len(chosen)
    others = f"; {left} of the others {'was' if left == 1 else 'were'} not {action.wants}" if left else ""
    return f"{action.done}: {titles(chosen[::-1])}{others}"


def remove(store: Store, runs: Sequence[RunRecord]) -> str:
    """Removes runs with all that they yielded, all or none.

    Raises:
        RequestError: if one runs, or others that stay start from it.
    """
    ids = [run.id for run in runs]
    store.remove(ids)
    for run_id in ids:
        shutil.rmtree(store.run_files(run_id), ignore_errors=True)
    return f"removed: {titles(runs)}"


def toggle_queue(store: Store) -> str:
    """Pauses the queue, or has it go on."""
    paused = not store.queue_paused()
    store.pause_queue(paused)
    return "the queue is paused: what runs goes on, nothing else starts" if paused else "the queue goes on"


def _retry(store: Store, run: RunRecord) -> None:
    if run.status == "done":
        from agopconsole.queue.code import code_state

        store.add_runs([run.request], mirror=run.mirror, on_finish=run.on_finish, code=code_state())
    else:
        store.retry(run.id)


def _retry_from_scratch(store: Store, run: RunRecord) -> None:
    # First the files: a worker may claim the run as soon as it is queued, and would go on from them.
    shutil.rmtree(store.run_files(run.id), ignore_errors=True)
    store.retry(run.id, from_scratch=True)


def _cancel(store: Store, run: RunRecord) -> None:
    from agopconsole.queue import requests  # psutil is slow to import

    requests.cancel(store, run.id)


def _pause(store: Store, run: RunRecord) -> None:
    from agopconsole.queue import requests  # psutil is slow to import

    requests.pause(store, run.id)


def _is_open(run: RunRecord) -> bool:
    return run.status not in ENDED


ACTIONS: dict[str, RunAction] = {
    "cancel": RunAction("cancelled", "open any more", _is_open, _cancel),
    "pause": RunAction(
        "paused",
        "queued, waiting or running",
        lambda run: _is_open(run) and run.status != "paused" and not run.pause_requested,
        _pause,
    ),
    "resume": RunAction(
        "resumed",
        "paused",
        lambda run: run.status == "paused" or bool(run.pause_requested),
        lambda store, run: store.resume(run.id),
    ),
    "retry": RunAction("queued again", "ended yet", lambda run: run.status in ENDED, _retry),
    "retry_from_scratch": RunAction(
        "queued again from scratch",
        "failed or cancelled",
        lambda run: run.status in ("failed", "cancelled"),
        _retry_from_scratch,
    ),
    "sooner": RunAction(
        "sooner", "open any more", _is_open, lambda store, run: store.set_priority(run.id, run.priority + 1)
    ),
    "later": RunAction(
        "later", "open any more", _is_open, lambda store, run: store.set_priority(run.id, run.priority - 1)
    ),
}


def titles(runs: Sequence[RunRecord]) -> str:
    """One run by its title, several by their number."""
    return runs[0].title if len(runs) == 1 else counted(len(runs), "run")
