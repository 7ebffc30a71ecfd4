"""Runs as a picture in the terminal: accuracy and loss gap, a progress bar, and what is being trained now."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Sequence
from types import TracebackType
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from agopconsole.analysis.charts import Axes, Series, accuracy_series, line_chart, loss_gap_series
from agopconsole.analysis.estimate import read_paces
from agopconsole.analysis.tables import Look
from agopconsole.cli.output import note
from agopconsole.cli.progress import Progress, ProgressMeter
from agopconsole.cli.run_text import epoch_line, status_line
from agopconsole.cli.watch import View
from agopconsole.metrics import EpochMetrics
from agopconsole.queue.machine import this_machine
from agopconsole.store import RunRecord, Store

FRAME_SECONDS = 0.5
_SIDE_BY_SIDE = 100
"""Columns from which the charts stand beside each other."""

_CHART_LINES = 16
_LOWEST_CHART = 8


class LiveView(View):
    """Redraws a picture of some runs on standard error, at most twice a second.

    Args:
        store: where it is read.
        ids: the runs to follow.
        compared: those of them that are to be compared; the others, their sources, are drawn until these begin.
    """

    def __init__(self, store: Store, ids: Collection[int], compared: Collection[int]) -> None:
        self._store = store
        self._ids = ids
        self._compared = compared
        self._look = Look.of(sys.stderr)
        self._console = Console(stderr=True, highlight=False, no_color=not self._look.colour)
        self._live = Live(console=self._console, auto_refresh=False)
        self._meter = ProgressMeter(paces=lambda: read_paces(store, this_machine()))
        self._drawn_at = 0.0
        self._notice = ""
        self._charted: object = None
        self._charts: list[RenderableType] = []

    def __enter__(self) -> LiveView:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        failed: list[RunRecord] = []
        try:
            if error is None:
                failed = self._draw(last=True)
        finally:
            self._live.stop()
        for run in failed:
            note(status_line(run))

    def update(self) -> None:
        """Draws the next frame, if it is time."""
        if time.monotonic() - self._drawn_at >= FRAME_SECONDS:
            self._draw()

    def say(self, text: str) -> None:
        """Keeps a line for the person at the terminal on the screen."""
        self._notice = text

    def _draw(self, *, last: bool = False) -> list[RunRecord]:
        """Draws a frame; returns the runs that failed, which the last frame leaves to whole lines below it."""
        runs = self._store.runs(ids=self._ids)
        running = [run for run in runs if run.status == "running"]
        self._drawn_at = time.monotonic()
        lines = [self._line(text) for run in running[:3] for text in self._running_lines(run)]
        lines += [self._line(self._notice, "yellow")] if self._notice else []
        failed = [run for run in runs if run.status == "failed"]
        if not last:
            lines += [self._line(status_line(run), "red") for run in failed[-3:]]
        compared = [run for run in runs if run.id in self._compared]
        charted = compared if any(run.epoch or run.diverged for run in compared) else runs
        self._update_charts(charted, room=self._console.height - len(lines) - 3)
        progress = self._meter.measure(runs, sum(self._part_of_epoch(run) for run in running))
        picture = [*self._charts, self._bar(progress)]
        if last and not any(run.epoch for run in runs):
            picture = []  # nothing was trained
        self._live.update(Group(*picture, *lines), refresh=True)
        return failed

    def _line(self, text: str, style: str = "") -> Text:
        return Text(self._look.fit(text), style, no_wrap=True, overflow="crop")

    def _running_lines(self, run: RunRecord) -> list[str]:
        history = self._store.history(run.id)
        if history:
            return [epoch_line(run, history[-1])]
        logs = self._store.logs(run.id)
        step = self._store.last_step(run.id)
        if step is not None:
            return [f"{run.title}  epoch {step.epoch}/{run.epochs}  step {step.step}  loss {step.loss:.2f}"]
        return [f"{run.title}  {logs[-1].message}" if logs else status_line(run)]

    def _part_of_epoch(self, run: RunRecord) -> float:
        """How much of the epoch under way is over; known from the second epoch on."""
        step = self._store.last_step(run.id)
        history = self._store.history(run.id)
        if step is None or not history or step.step <= history[-1].step:
            return 0.0
        return min(0.99, (step.step - history[-1].step) / (history[-1].step / history[-1].epoch))

    def _bar(self, progress: Progress) -> Text:
        text = self._look.fit(f" {progress}")
        width = max(0, min(50, self._console.width - len(text) - 1))
        filled = round(width * progress.share)
        full, empty = ("━", "─") if self._look.unicode else ("#", "-")
        return Text.assemble((full * filled, "green"), (empty * (width - filled), "dim"), text, no_wrap=True)

    def _update_charts(self, runs: list[RunRecord], room: int) -> None:
        """Draws the charts anew when there is a new epoch or the window has changed."""
        state = (self._console.size, room, [(run.status, run.epoch) for run in runs])
        if state == self._charted:
            return
        self._charted = state
        histories = {run.id: self._store.history(run.id) for run in runs}
        width = self._console.width
        if room < _LOWEST_CHART:
            self._charts = []
        elif width >= _SIDE_BY_SIDE:
            half, height = (width - 2) // 2, min(room, _CHART_LINES)
            left = self._accuracy(runs, histories, half, height).split("\n")
            right = self._loss_gap(runs, histories, half, height).split("\n")
            self._charts = [_picture([f"{a}  {b}" for a, b in zip(left, right, strict=True)])]
        elif room >= 2 * _LOWEST_CHART:
            height = min(room // 2, _CHART_LINES)
            both = (self._accuracy, self._loss_gap)
            self._charts = [_picture(chart(runs, histories, width, height).split("\n")) for chart in both]
        else:
            self._charts = [_picture(self._accuracy(runs, histories, width, room).split("\n"))]

    def _accuracy(self, runs: list[RunRecord], histories: _Histories, width: int, height: int) -> str:
        series = accuracy_series(runs, histories, by_method=len(runs) > 2)
        return self._chart(series, width, height, title="validation accuracy, %")

    def _loss_gap(self, runs: list[RunRecord], histories: _Histories, width: int, height: int) -> str:
        series = loss_gap_series(runs, histories, by_method=len(runs) > 2)
        title = "loss gap: validation less training"
        axes = Axes(zero_line=True, notes=("underfit", "overfit"))
        return self._chart(series, width, height, axes=axes, title=title)

    def _chart(self, series: Sequence[Series], width: int, height: int, **options: Any) -> str:
        look = self._look
        return line_chart(series, width=width, height=height, colour=look.colour, unicode=look.unicode, **options)


_Histories = dict[int, list[EpochMetrics]]


def _picture(lines: list[str]) -> Text:
    return Text.from_ansi("\n".join(lines), no_wrap=True, overflow="crop")
