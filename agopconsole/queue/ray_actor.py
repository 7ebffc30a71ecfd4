"""A run on a machine of a Ray cluster: it trains in a folder of its own; all that it yields goes to the worker."""

from __future__ import annotations

import platform
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from agopconsole.backend import events
from agopconsole.backend.heap import keep_freed_memory
from agopconsole.backend.places import BEST_WEIGHTS, FEATURES, Places
from agopconsole.errors import AgopconsoleError
from agopconsole.queue.code import code_state
from agopconsole.queue.job import load_engine, reason_of
from agopconsole.spec import RunSpec

RUN = "run"
"""In an actor's folder: the folder of its run; beside it lie the features that it extracted."""


@dataclass(frozen=True, slots=True)
class Order:
    """What an actor needs in order to train.

    Attributes:
        files: by their paths in its own folder.
        named: where the files lie there that the spec names.
        source: whether one of them is the best weights of the run that trained the source.
        code: the worker's, see `code_state`.
    """

    spec: RunSpec
    engine: str
    files: dict[str, bytes]
    named: dict[str, str]
    source: bool
    data: Path
    mirror: str | None
    micro_batch: int | None
    code: str


@dataclass(frozen=True, slots=True)
class Message:
    """What an actor says: the files that have changed come before what happened.

    Attributes:
        event: of the engine.
        over: whether this is the last one.
        error: why it ended, if a user can be told in a sentence.
        bug: why it ended, and the traceback, if not.
        files: by their paths in the actor's folder.
    """

    event: events.Event | None = None
    over: bool = False
    error: AgopconsoleError | None = None
    bug: tuple[str, str] | None = None
    files: dict[str, bytes] = field(default_factory=dict)


class Trainer:
    """The actor; a second thread of it takes the word to stop."""

    def __init__(self) -> None:
        self._stopped = False

    def stop(self) -> None:
        """Has the engine stop at its next step."""
        self._stopped = True

    def train(self, order: Order) -> Iterator[Message]:
        """Trains, and tells all that happens; whatever goes wrong is told too."""
        keep_freed_memory()
        with tempfile.TemporaryDirectory(prefix="agopconsole-") as name:
            root = Path(name)
            seen: dict[Path, tuple[int, int]] = {}
            lines: list[str] = []
            last = Message(over=True)
            try:
                if code_state() != order.code:
                    yield Message(events.Note(f"the code on {platform.node()} is not the worker's", "warning"))
                for path, content in order.files.items():
                    write(root / path, content)
                _changed(root, seen)  # what has come need not go back
                for event in self._execute(order, root, lines):
                    yield from _notes(lines)
                    yield Message(_placed(event), files=_changed(root, seen))
            except AgopconsoleError as error:
                last = replace(last, error=error)
            except Exception as error:  # noqa: BLE001 - as in a job's process: the run's failure, not the queue's
                last = replace(last, bug=(reason_of(error), traceback.format_exc().rstrip()))
            yield from _notes(lines)
            yield replace(last, files=_changed(root, seen))

    def _execute(self, order: Order, root: Path, lines: list[str]) -> Iterator[events.Event]:
        (root / RUN).mkdir(exist_ok=True)
        source = root / BEST_WEIGHTS if order.source else None
        return load_engine(order.engine)(
            order.spec.relocate(lambda path: root / order.named.get(str(path), str(path))),
            Places(root / RUN, root / FEATURES, order.data, source, order.mirror),
            should_stop=lambda: self._stopped,
            report=lines.append,
            micro_batch=order.micro_batch,
        )


def _notes(lines: list[str]) -> Iterator[Message]:
    """The lines of progress since the last time."""
    while lines:
        yield Message(events.Note(lines.pop(0)))


def _placed(event: events.Event) -> events.Event:
    """The event with the machine that it happened on."""
    if isinstance(event, events.Setup):
        return replace(event, environment={**event.environment, "node": platform.node()})
    return event


def _changed(root: Path, seen: dict[Path, tuple[int, int]]) -> dict[str, bytes]:
    """The files of the run and its features that were written since the last time."""
    changed = {}
    for path in sorted([*root.glob(f"{RUN}/*"), *root.glob(f"{FEATURES}/*")]):
        state = path.stat()
        mark = (state.st_mtime_ns, state.st_size)
        if path.is_file() and seen.get(path) != mark:
            seen[path] = mark
            changed[path.relative_to(root).as_posix()] = path.read_bytes()
    return changed


def write(path: Path, content: bytes) -> None:
    """Writes a file as a whole, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
