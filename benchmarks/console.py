"""How fast the console is on a store of 5,000 runs and 1,000,000 epochs and steps; drives the real app, headless.

python benchmarks/console.py [--runs 5000] [--rows 1000000] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
from textual.screen import Screen

from agopconsole.spec import RunSpec
from agopconsole.store import Owner, Store
from agopconsole.tui import app as app_module
from agopconsole.tui.app import ConsoleApp

KEYS = ("down", "down", "space", "pagedown", "right", "down", "g", "end", "home", "g", "left", "o", "o", "escape") * 4
IDLE_SECONDS = 5.0
OWNER = Owner("benchmark", "boot", 1, 0.0)


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
        "refresh, median ms": 50,
        "longest stop of the event loop in a refresh, ms": 20,
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
        presses = []
        for key in KEYS:
            shown = app.frames
            begun = time.perf_counter()
            app.simulate_key(key)
            while app.frames == shown and time.perf_counter() < begun + 1:
                await asyncio.sleep(0.0005)
            presses.append(1000 * (time.perf_counter() - begun))
            await pilot.pause(0.15)
        refreshes, stops = await refresh_times(app, path)
        spent = process.cpu_times()
        await asyncio.sleep(IDLE_SECONDS)
        now = process.cpu_times()
        idle = 100 * (now.user + now.system - spent.user - spent.system) / IDLE_SECONDS
        memory = process.memory_info().rss / 1e6
    return {
        "first frame, s": first,
        "key press, median ms": statistics.median(presses),
        "key press, longest ms": max(presses),
        "refresh, median ms": statistics.median(refreshes),
        "longest stop of the event loop in a refresh, ms": statistics.median(stops),
        "idle, % of a core": idle,
        "memory, MB": memory,
        "memory before, MB": before / 1e6,
    }


async def refresh_times(app: ConsoleApp, path: Path) -> tuple[list[float], list[float]]:
    """From the end of a write to the new snapshot shown, without the wait for a poll, and the longest stop; in ms."""
    times, stops = [], []
    with Store(path) as store:
        run = max(i for i, run in app._snapshot.runs.items() if run.status == "running")
        for _ in range(10):
            before = app._snapshot
            store.heartbeat([run])
            begun = last = time.perf_counter()
            app.reader.poke()
            longest = 0.0
            while app._snapshot is before:
                await asyncio.sleep(0)
                now = time.perf_counter()
                longest, last = max(longest, now - last), now
                await asyncio.sleep(0.0005)
                last = time.perf_counter()
            times.append(1000 * (time.perf_counter() - begun))
            stops.append(1000 * longest)
            await asyncio.sleep(0.1)
    return times, stops


if __name__ == "__main__":
    main()
