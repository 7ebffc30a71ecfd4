"""200 tiny runs and 4 workers, 100 SIGKILLs at jobs and workers: nothing lost, nothing run twice, the same numbers.

    python benchmarks/stress.py [--runs 200] [--workers 4] [--kills 100]

The same runs are trained twice, undisturbed and under fire; every number of every history must be equal.
"""

import argparse
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import tiny
from record import write_result

from agopconsole.queue.requests import submit
from agopconsole.spec import RunSpec
from agopconsole.store import Store

TINY = Path(tiny.__file__)
PAUSE = (0.8, 2.0)
"""Seconds between two kills."""


def main() -> None:
    """Prints what became of the runs; exits with 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("runs", 200), ("workers", 4), ("kills", 100)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as calm, tempfile.TemporaryDirectory() as wild:
        began = time.perf_counter()
        expected, _ = work(Path(calm), options.runs, options.workers, 0)
        undisturbed = time.perf_counter() - began
        histories, figures = work(Path(wild), options.runs, options.workers, options.kills)
        figures["seconds"] = time.perf_counter() - began - undisturbed
    figures["seconds_undisturbed"] = undisturbed
    figures["equal_histories"] = sum(histories.get(name) == rows for name, rows in expected.items())
    for name, value in figures.items():
        print(f"{name:22}{value:.0f}" if isinstance(value, float) else f"{name:22}{value}")
    write_result("stress", figures)
    whole = (options.runs, options.runs, "ok", 0, 0)
    keys = ("done", "equal_histories", "integrity_check", "trained_twice_at_once", "processes_left")
    sys.exit(tuple(figures[key] for key in keys) != whole)


def work(folder: Path, runs: int, workers: int, kills: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Trains the runs in `folder`; their numbers by the run's name, and what was counted."""
    chance = random.Random(0)
    killed = {"job": 0, "worker": 0}
    with Store(folder / "runs.db", create=True) as store:
        submit(store, [RunSpec.parse(spec_of(seed)) for seed in range(runs)])
        team = [start(folder) for _ in range(workers)]
        while store.open_count():
            team = [worker if worker.poll() is None else start(folder) for worker in team]
            time.sleep(chance.uniform(*PAUSE) if sum(killed.values()) < kills else 0.2)
            if sum(killed.values()) < kills:
                what = kill(store, team, chance)
                if what:
                    killed[what] += 1
        for worker in team:
            worker.wait()
        deadline = time.monotonic() + 10
        while (left := processes_in(folder)) and time.monotonic() < deadline:
            time.sleep(0.2)
        done = store.runs()
        for run in done:
            if run.status != "done":
                print(f"{run.name}: {run.status}, {run.error}")
        figures = {
            "runs": runs,
            "workers": workers,
            "kills_at_jobs": killed["job"],
            "kills_at_workers": killed["worker"],
            "done": sum(run.status == "done" for run in done),
            "attempts": sum(run.attempts for run in done),
            "trained_twice_at_once": len(list(folder.glob("runs.files/*/twice"))),
            "processes_left": len(left),
        }
        histories = {run.name: numbers(store, run.id) for run in done}
    with contextlib.closing(sqlite3.connect(folder / "runs.db")) as connection:
        figures["integrity_check"] = connection.execute("PRAGMA integrity_check").fetchone()[0]
    return histories, figures


def spec_of(seed: int) -> dict[str, Any]:
    """A run of a second or two: 16 epochs of 10 steps."""
    return {"name": f"run {seed}", "dataset": "digits", "seed": seed, "epochs": 16, "limit": 320, "batch_size": 32,
            "lr": 0.01, "device": "cpu"}  # fmt: skip


def start(folder: Path) -> subprocess.Popen[bytes]:
    """A worker in a process of its own."""
    command = [sys.executable, str(TINY), "worker", "--drain"]
    return subprocess.Popen(
        command, cwd=folder, env=tiny.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def kill(store: Store, team: list[subprocess.Popen[bytes]], chance: random.Random) -> str | None:
    """Kills a job or a worker that is alive; which of the two it was."""
    jobs = [run.pid for run in store.running() if run.pid not in {worker.pid for worker in team}]
    what = chance.choice(("job", "job", "job", "worker"))
    candidates = jobs if what == "job" else [worker.pid for worker in team if worker.poll() is None]
    if not candidates:
        return None
    pid = chance.choice(candidates)
    try:
        if pid is None or Path(psutil.Process(pid).cwd()) != Path(store.path).parent.resolve():
            return None
        os.kill(pid, signal.SIGKILL)
    except (psutil.Error, ProcessLookupError, OSError):
        return None
    return what


def numbers(store: Store, run_id: int) -> tuple[Any, ...]:
    """All that a run yielded, but for what a clock says."""
    epochs = [
        tuple(value for name, value in sorted(vars_of(epoch).items()) if "second" not in name)
        for epoch in store.history(run_id)
    ]
    return (*epochs, *store.steps(run_id), store.run(run_id).best_val_accuracy)


def vars_of(row: Any) -> dict[str, Any]:
    """The fields of a record."""
    return {name: getattr(row, name) for name in row.__slots__}


def processes_in(folder: Path) -> list[int]:
    """The processes whose working directory is `folder`."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if Path(process.cwd()) == folder.resolve():
                found.append(process.pid)
    return found


if __name__ == "__main__":
    main()
