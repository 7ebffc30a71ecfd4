"""How fast the console is on a store of 5,000 runs and 1,000,000 epochs and steps; drives the real app, headless.

python benchmarks/console.py [--runs 5000] [--rows 1000000] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import operator
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
from textual.screen import Screen

from agopconsole.analysis.charts import Picture
from agopconsole.spec import RunSpec
from agopconsole.store import Store
from agopconsole.tui import app as app_module
from agopconsole.tui.app import ConsoleApp
from agopconsole.tui.chart_panel import ChartPanel
from agopconsole.tui.messages import ChoiceChanged
from agopconsole.tui.rows import MethodRow
from agopconsole.tui.run_table import RunTable

KEYS = (
    *("home", "down", "down", "space", "pagedown", "right", "down", "g", "end", "home", "g", "left", "right"),
    *("o", "o", "escape"),
) * 4 + ("home",)
"""The last of them leaves the charts with a whole study."""

CHART_KEYS = (
    "comma",
    "comma",
    "full_stop",
    "z",
    "comma",
    "left_square_bracket",
    "Z",
    "0",
    "s",
    "l",
    "x",
    "b",
    "tab",
) * 2
REFRESHES = 10
FORMS = 5
"""How often the form for new runs is opened."""

IDLE_SECONDS = 10.0
SETTLING_SECONDS = 4.0
"""After the last key; in such a pause the console has the garbage of the work before collected, once."""


def main() -> None:
    """Makes the store, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.db"
        make_store(path, options.runs, options.rows)
        figures = asyncio.run(measure(path))
    limits = {
        "first frame, s": 1.0,
        "key press, median ms": 50,
        "chart key until the charts are drawn, median ms": 50,
        "refresh, median ms": 50,
        "refresh with a new epoch, until its charts are drawn, median ms": 50,
        "longest wait of the event loop while the store is read, longest ms": 20,
        "idle, % of a core": 5,
        "memory, MB": 200,
    }
    print(f"{options.runs:,} runs, {options.rows:,} rows of metrics\n\n| | measured | asked for |\n|---|--:|--:|")
    for name, value in figures.items():
        print(f"| {name} | {value:.3g} | {limits.get(name, '')} |")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def make_store(path: Path, runs: int, rows: int) -> None:
    """Ten studies of runs that are done but for one; epochs and steps straight into their tables, which is faster."""
    methods = ("kaiming_uniform", "kaiming_normal", "lecun_normal", "orthogonal", "normal")
    a_run = rows // runs
    epochs = max(a_run // 5, 1)
    with Store(path, create=True) as store:
        specs = [
            RunSpec.parse(
                {
                    "init": methods[i % 5],
                    "seed": i // 5 % 10,
                    "lr": round(0.001 * (1 + i // 50 % 10), 4),
                    "study": f"study-{i * 10 // runs}",
                    "epochs": epochs,
                }
            )
            for i in range(runs)
        ]
        ids = store.add_runs(specs)
        connection = store._connection
        connection.execute("BEGIN")
        connection.execute(
            "UPDATE runs SET status = 'done', started_at = created_at, ended_at = created_at, epoch = epochs,"
            " best_val_accuracy = 50 + id % 40, loss_gap = 0.1, best_epoch = epochs"
        )
        _fill(connection, "epochs", ((run, e) for run in ids for e in range(1, epochs + 1)))
        _fill(connection, "steps", ((run, s) for run in ids for s in range(a_run - epochs)))
        connection.execute(
            "UPDATE runs SET status = 'running', ended_at = NULL, epoch = 1, heartbeat_at = created_at WHERE id = ?",
            (ids[-1],),
        )
        connection.execute("COMMIT")


def _fill(connection: sqlite3.Connection, table: str, keys: Iterable[tuple[int, int]]) -> None:
    names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    marks = ", ".join("?" * len(names))
    rows = ((*key, *(((key[1] * 7 + i) % 13) / 3.0 for i in range(len(names) - 2))) for key in keys)
    connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)


class TimedApp(ConsoleApp):
    """Counts the frames that it has put on the terminal."""

    CSS_PATH = Path(app_module.__file__).with_name("app.tcss")
    frames = 0

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        super()._display(screen, renderable)
        self.frames += 1


@dataclasses.dataclass(frozen=True)
class Stop:
    """How long the event loop was kept from what waits for it, in ms.

    Attributes:
        whole: all of it.
        waiting: the part of it in which the loop's own thread did not run: it waited for another one (the reader of
            the store, the painter of the charts) to let go of the interpreter, or for the operating system.
    """

    whole: float = 0.0
    waiting: float = 0.0


class Watch:
    """Measures how long the event loop is ever kept from what waits for it, by asking for it every millisecond.

    Whatever a callback of the app, the drawing of a frame, or another thread that holds the interpreter takes away is
    missing from the next turn of this task.
    """

    _ASKED = 0.001

    def __init__(self) -> None:
        self._whole = self._waiting = 0.0
        self._begin()

    async def run(self) -> None:
        """Measures until it is cancelled."""
        while True:
            self._begin()
            await asyncio.sleep(self._ASKED)
            late = time.perf_counter() - self._asked - self._ASKED
            self._whole = max(self._whole, late)
            self._waiting = max(self._waiting, late - (time.thread_time() - self._worked))

    def take(self) -> Stop:
        """The longest stops since it was last taken; what the caller did before is none of them."""
        taken = Stop(1000 * self._whole, 1000 * self._waiting)
        self._whole = self._waiting = 0.0
        self._begin()
        return taken

    def _begin(self) -> None:
        self._asked, self._worked = time.perf_counter(), time.thread_time()


async def measure(path: Path) -> dict[str, float]:
    """The figures by name; a key press is over with the first frame that is drawn after it."""
    process = psutil.Process()
    before = process.memory_info().rss
    begun = time.perf_counter()
    app = TimedApp(path, devices=lambda: ())
    async with app.run_test(size=(120, 40)) as pilot:
        while not app.caught_up:
            await asyncio.sleep(0.001)
        await pilot.pause()
        first = time.perf_counter() - begun
        watch = Watch()
        watching = asyncio.create_task(watch.run())
        presses, press_stops = await key_times(app, watch, KEYS)
        chart_presses, chart_stops = await key_times(app, watch, CHART_KEYS, drawn=True)
        await choose_running(app, path)
        beats, beat_stops = await refresh_times(app, path, watch, new_epoch=False)
        epochs, epoch_stops = await refresh_times(app, path, watch, new_epoch=True)
        opened, opened_stops = await form_times(app, watch)
        watching.cancel()
        await asyncio.sleep(SETTLING_SECONDS)
        spent = process.cpu_times()
        await asyncio.sleep(IDLE_SECONDS)
        now = process.cpu_times()
        idle = 100 * (now.user + now.system - spent.user - spent.system) / IDLE_SECONDS
        memory = process.memory_info().rss / 1e6
    return {
        "first frame, s": first,
        "key press, median ms": statistics.median(presses),
        "key press, longest ms": max(presses),
        "longest stop of the event loop after a key, median ms": median_stop(press_stops),
        "longest stop of the event loop after a key, longest ms": longest_stop(press_stops),
        "chart key until the charts are drawn, median ms": statistics.median(chart_presses),
        "chart key until the charts are drawn, longest ms": max(chart_presses),
        "longest stop of the event loop after a chart key, median ms": median_stop(chart_stops),
        "longest stop of the event loop after a chart key, longest ms": longest_stop(chart_stops),
        "form for new runs, until its first frame, median ms": statistics.median(opened),
        "longest stop of the event loop while it opens, median ms": median_stop(opened_stops),
        "refresh, median ms": statistics.median(beats),
        "longest stop of the event loop in a refresh, median ms": median_stop(beat_stops),
        "refresh with a new epoch, until its charts are drawn, median ms": statistics.median(epochs),
        "longest stop of the event loop in it, median ms": median_stop(epoch_stops),
        "longest stop of the event loop in any refresh, longest ms": longest_stop([*beat_stops, *epoch_stops]),
        "longest wait of the event loop while the store is read, longest ms": max(
            stop.waiting for stop in beat_stops
        ),
        "idle, % of a core": idle,
        "memory, MB": memory,
        "memory before, MB": before / 1e6,
    }


def median_stop(stops: Iterable[Stop]) -> float:
    """Of all of each."""
    return statistics.median(stop.whole for stop in stops)


def longest_stop(stops: Iterable[Stop]) -> float:
    """Of all of each."""
    return max(stop.whole for stop in stops)


async def choose_running(app: TimedApp, path: Path) -> None:
    """Selects the method of the run that is running, wherever the keys have left the cursor."""
    with Store(path) as store:
        run = store.running()[-1]
    table = app.screen.query_one(RunTable)
    table.action_select_none()
    table.sort_by(None)
    table.selected = {
        row.key for row in table._all if isinstance(row, MethodRow) and run.id in {r.id for r in row.runs}
    }
    app.screen.post_message(ChoiceChanged())
    await asyncio.sleep(0.5)
    while not app.caught_up:
        await asyncio.sleep(0.005)


def pictures(app: TimedApp) -> list[Picture | None]:
    """What the charts show now."""
    return [panel.picture for panel in app.screen.query(ChartPanel) if panel.display]


async def key_times(
    app: TimedApp, watch: Watch, keys: Iterable[str], *, drawn: bool = False
) -> tuple[list[float], list[Stop]]:
    """For each key the time to the next frame, and the longest stop until all that it asked for is shown; in ms.

    With `drawn` the time is that until the charts are drawn.
    """
    times: list[float] = []
    stops: list[Stop] = []
    for key in keys:
        shown = app.frames
        watch.take()
        begun = time.perf_counter()
        app.simulate_key(key)
        while app.frames == shown and time.perf_counter() < begun + 1:
            await asyncio.sleep(0.0005)
        if app.frames == shown:
            raise SystemExit(f"the key {key} has left the screen as it was: this measures nothing")
        while drawn and not app.caught_up:
            await asyncio.sleep(0.0005)
        times.append(1000 * (time.perf_counter() - begun))
        await asyncio.sleep(0.15)
        while not app.caught_up:
            await asyncio.sleep(0.005)
        stops.append(watch.take())
    return times, stops


async def form_times(app: TimedApp, watch: Watch) -> tuple[list[float], list[Stop]]:
    """The time to the form's first frame, and the longest stop until all of it is up; in ms."""
    times: list[float] = []
    stops: list[Stop] = []
    for _ in range(FORMS):
        opened, opened_stops = await key_times(app, watch, ("n",))
        times += opened
        await asyncio.sleep(0.5)
        late = watch.take()
        stops += [max(*opened_stops, late, key=operator.attrgetter("whole"))]
        await key_times(app, watch, ("escape",))
    return times, stops


async def refresh_times(
    app: TimedApp, path: Path, watch: Watch, *, new_epoch: bool
) -> tuple[list[float], list[Stop]]:
    """From the end of a write to the new snapshot shown, without the wait for a poll, and the longest stop; in ms.

    Args:
        app: the console, with the method of the run that is running selected.
        path: its store.
        watch: measures the stops.
        new_epoch: whether the run gets an epoch, so that charts are drawn anew; else a sign of life.
    """
    times: list[float] = []
    stops: list[Stop] = []
    with Store(path) as store:
        run = store.running()[-1]
        (first,) = store.history(run.id)[:1]
        for i in range(REFRESHES):
            before, drawn = app._snapshot, pictures(app)
            if new_epoch:
                store.record_epoch(run.id, dataclasses.replace(first, epoch=2 + i, val_accuracy=50.0 + i))
            else:
                store.heartbeat([run.id])
            watch.take()
            begun = time.perf_counter()
            app.reader.poke()
            while app._snapshot is before or (new_epoch and not app.caught_up):
                await asyncio.sleep(0.0005)
            times.append(1000 * (time.perf_counter() - begun))
            if new_epoch and any(map(operator.is_, drawn, pictures(app))):
                raise SystemExit("a new epoch has left a chart as it was: this measures nothing")
            await asyncio.sleep(0.1)
            stops.append(watch.take())
    return times, stops


if __name__ == "__main__":
    main()
