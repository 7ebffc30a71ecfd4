"""What happens to some runs, told while it happens: as plain lines, or as a picture where there is a terminal.

Either view reads the store and nothing else, so that a run which another worker has claimed is seen as well.
"""

from __future__ import annotations

import os
import sys
from abc import abstractmethod
from collections.abc import Collection
from contextlib import AbstractContextManager
from types import TracebackType

from agopconsole.analysis.estimate import read_paces
from agopconsole.catalogue import ENDED
from agopconsole.cli.output import note
from agopconsole.cli.progress import ProgressMeter
from agopconsole.cli.run_text import epoch_line, status_line
from agopconsole.queue.machine import this_machine
from agopconsole.store import RunRecord, Store


class View(AbstractContextManager["View"]):
    """What a loop calls between two steps."""

    @abstractmethod
    def update(self) -> None:
        """Shows what has happened since the last time."""

    @abstractmethod
    def say(self, text: str) -> None:
        """Tells the person at the terminal something, once, however often it is said."""


def watch(store: Store, ids: Collection[int], compared: Collection[int]) -> View:
    """The view of the runs `ids`, of which some are to be compared, that standard error can show."""
    if sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown"):
        from agopconsole.cli.live import LiveView  # rich and the charts, which plain lines do without

        return LiveView(store, ids, compared)
    return PlainView(store, ids)


class PlainView(View):
    """One line on standard error for each thing that happens, and where the whole stands when a run has ended.

    Args:
        store: where it is read.
        ids: the runs to follow; None for every run that is running at some time.
    """

    def __init__(self, store: Store, ids: Collection[int] | None) -> None:
        self._store = store
        self._ids = ids
        self._seen: tuple[int, int] | None = None
        self._told: dict[int, _Told] = {}
        self._said = ""
        self._meter = ProgressMeter(paces=lambda: read_paces(store, this_machine()))
        if ids is not None:
            self._told = {run.id: _Told.of(store, run) for run in store.runs(ids=ids)}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.update()

    def update(self) -> None:
        """Tells what has happened since the last time."""
        now = self._store.change_count()
        if now == self._seen:
            return
        self._seen = now
        runs = self._followed()
        ended = sum(told.status in ENDED for told in self._told.values())
        for run in runs:
            told = self._told.setdefault(run.id, _Told())
            self._tell(run, told)
            if self._ids is None and run.status in ENDED:
                del self._told[run.id]
        if self._ids is not None and len(runs) > 1:
            progress = self._meter.measure(runs)
            if sum(told.status in ENDED for told in self._told.values()) > ended:
                note(f"progress: {str(progress).strip()}")

    def say(self, text: str) -> None:
        """Tells the person at the terminal something, once, however often it is said."""
        if text != self._said:
            note(text)
            self._said = text

    def _followed(self) -> list[RunRecord]:
        ids = {run.id for run in self._store.running()} if self._ids is None else set(self._ids)
        return self._store.runs(ids=ids | self._told.keys())

    def _tell(self, run: RunRecord, told: _Told) -> None:
        """The lines of one run's log, its epochs, then its new status."""
        if run.status == told.status and run.status != "running":
            return
        if run.status == "running" and told.status != "running":
            note(status_line(run))
        for line in self._store.logs(run.id)[told.lines :]:
            told.lines += 1
            if line.level != "error":  # a traceback; the reason follows
                note(f"{run.title}  {line.message}")
        for epoch in self._store.history(run.id)[told.epochs :]:
            told.epochs += 1
            note(epoch_line(run, epoch))
        if run.status in ENDED and run.status != told.status:
            note(status_line(run))
        told.status = run.status


class _Told:
    """What has been told of one run."""

    def __init__(self, status: str = "", epochs: int = 0, lines: int = 0) -> None:
        self.status, self.epochs, self.lines = status, epochs, lines

    @classmethod
    def of(cls, store: Store, run: RunRecord) -> _Told:
        """As much as there is to tell of a run before anyone watches."""
        return cls(run.status if run.status in ENDED else "", run.epoch, len(store.logs(run.id)))
