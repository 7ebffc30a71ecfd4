"""How the queue stands, in one line: is it paused, and who works at it."""

from __future__ import annotations

from agopconsole.store import Store, WorkerRecord
from agopconsole.wording import counted


def queue_line(store: Store) -> tuple[str, bool]:
    """The line, empty where there is nothing to do and nobody to do it; and whether someone has to do something."""
    parts = []
    if store.queue_paused():
        parts.append("the queue is paused; `runs resume --queue` has it go on")
    alive = _alive(store)
    queued = store.open_count(statuses=("queued",))
    if alive:
        parts.append(f"at work: {', '.join(_worker(worker) for worker in alive)}")
    elif queued:
        runs = f"{counted(queued, 'run')} {'is' if queued == 1 else 'are'} queued"
        parts.append(f"{runs} and there is no worker; `agopconsole worker` is one")
    return "; ".join(parts), store.queue_paused() or bool(queued and not alive)


def _alive(store: Store) -> list[WorkerRecord]:
    listed = store.workers()
    if not listed:
        return []
    from agopconsole.queue.identity import is_alive  # psutil is slow to import

    return [worker for worker in listed if is_alive(worker.owner, worker.heartbeat_at)]


def _worker(worker: WorkerRecord) -> str:
    each = f" x {worker.slots}" if worker.slots > 1 else ""
    return f"worker {worker.owner.pid} on {worker.owner.host} ({', '.join(worker.devices)}{each})"
