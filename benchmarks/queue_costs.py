"""What the queue costs: a claim among 1,000 runs, an idle worker, the start of a job, metric writes, Ctrl-C.

    python benchmarks/queue_costs.py

Everything happens in folders that are thrown away; the figures are kept in `results/queue_costs.json`.
"""

import signal
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import tiny
from record import write_result
from stress import processes_in

from agopconsole.metrics import StepMetrics
from agopconsole.queue.identity import process_owner
from agopconsole.queue.requests import submit
from agopconsole.spec import RunSpec
from agopconsole.store import Store

QUEUED = 1000
CLAIMS = 200
IDLE_SECONDS = 25.0
ROWS = 100_000
BATCH = 1000
AT_MOST = {
    "claim_ms": 5,
    "idle_percent": 1,
    "job_start_seconds": 0.5,
    "step_write_percent": 1,
    "ctrl_c_once_left": 0,
    "ctrl_c_twice_left": 0,
}
AT_LEAST = {"step_rows_a_second": 100_000}


def main() -> None:
    """Prints each figure and its bound."""
    figures: dict[str, Any] = {}
    for measure in (claims, idle, job_start, writes, interrupts):
        with tempfile.TemporaryDirectory() as folder:
            figures |= measure(Path(folder))
    for name, value in figures.items():
        shown = f"{value:,.3f}" if isinstance(value, float) else f"{value}"
        print(f"{name:32}{shown:>14}{bound(name)}")
    write_result("queue_costs", figures)


def bound(name: str) -> str:
    """What is asked of a figure, in words."""
    if name in AT_LEAST:
        return f"   at least {AT_LEAST[name]:,}"
    return f"   at most {AT_MOST[name]}" if name in AT_MOST else ""


def spec_of(seed: int, **fields: Any) -> RunSpec:
    """A run of a tiny network."""
    fields = {"epochs": 20, "limit": 320, "batch_size": 32, "lr": 0.01, **fields}
    return RunSpec.parse({"name": f"run {seed}", "dataset": "digits", "seed": seed, "device": "cpu", **fields})


def start(folder: Path, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
    """The command line in `folder`, with the tiny engine."""
    return subprocess.Popen(
        [sys.executable, tiny.__file__, *arguments],
        cwd=folder,
        env=tiny.environment() | variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def claims(folder: Path) -> dict[str, float]:
    """The median time of a claim while 1,000 runs are queued."""
    me = process_owner()
    assert me is not None
    with Store(folder / "runs.db", create=True) as store:
        submit(store, [spec_of(seed) for seed in range(QUEUED + CLAIMS)])
        seconds = []
        for _ in range(CLAIMS):
            began = time.perf_counter()
            assert store.claim(me, devices=("cpu", "auto")) is not None
            seconds.append(time.perf_counter() - began)
    return {"claim_ms": 1000 * statistics.median(seconds), "claim_ms_worst": 1000 * max(seconds)}


def idle(folder: Path) -> dict[str, float]:
    """The processor time of a worker that has nothing to do, its fork server's included, in percent of a core."""
    Store(folder / "runs.db", create=True).close()
    worker = start(folder, "worker")
    time.sleep(10)  # until the fork server has imported torch
    processes = [psutil.Process(pid) for pid in processes_in(folder)]
    before = sum(sum(process.cpu_times()[:2]) for process in processes)
    began = time.perf_counter()
    time.sleep(IDLE_SECONDS)
    used = sum(sum(process.cpu_times()[:2]) for process in processes) - before
    percent = 100 * used / (time.perf_counter() - began)
    worker.send_signal(signal.SIGTERM)
    worker.wait()
    return {"idle_percent": percent, "idle_processes": len(processes)}


def job_start(folder: Path) -> dict[str, float]:
    """The time from a claim to the job's first words, over 20 jobs of a warm worker."""
    with Store(folder / "runs.db", create=True) as store:
        submit(store, [spec_of(seed, epochs=1) for seed in range(20)])
        start(folder, "worker", "--drain", TINY_PAUSE="0").wait()
        seconds = []
        for run in store.runs()[1:]:  # the first one waits for the imports of the fork server
            assert run.started_at is not None
            begun = datetime.fromisoformat((folder / f"runs.files/run-{run.id}/begun").read_text())
            seconds.append((begun - datetime.fromisoformat(run.started_at)).total_seconds())
    return {"job_start_seconds": statistics.median(seconds), "job_start_seconds_worst": max(seconds)}


def writes(folder: Path) -> dict[str, float]:
    """Rows a second in batches, and what the steps of a run cost it as the trainer sends them: twice a second."""
    with Store(folder / "runs.db", create=True) as store:
        [run_id] = submit(store, [spec_of(0)])
        rows = [StepMetrics(step, 1 + step // 100, 1 / (1 + step), 0.5, 1e-3) for step in range(ROWS)]
        began = time.perf_counter()
        for first in range(0, ROWS, BATCH):
            store.record_steps(run_id, rows[first : first + BATCH])
        written = time.perf_counter() - began
        began = time.perf_counter()
        assert len(store.steps(run_id)) == ROWS
        read = time.perf_counter() - began
        [run_id] = submit(store, [spec_of(1)])
        batches = [rows[first : first + 50] for first in range(0, 2000, 50)]
        seconds = []
        for batch in batches:
            began = time.perf_counter()
            store.record_steps(run_id, batch)
            seconds.append(time.perf_counter() - began)
    return {
        "step_rows_a_second": ROWS / written,
        "step_rows_read_a_second": ROWS / read,
        "step_write_percent": 100 * statistics.mean(seconds) / 0.5,
    }


def interrupts(folder: Path) -> dict[str, Any]:
    """What one and two Ctrl-C do to a run in the foreground: the exit status, the seconds, what is left over."""
    figures: dict[str, Any] = {}
    for presses in (1, 2):
        place = folder / str(presses)
        place.mkdir()
        options = ("--dataset=digits", "--epochs=100", "--limit=320", "--batch-size=32", "--device=cpu")
        run = start(place, "run", *options, TINY_PAUSE="0.3" if presses == 1 else "20")
        begun = place / "runs.files/run-1/begun"
        until(begun.exists)
        if presses == 1:
            until((place / "runs.files/run-1/last.pt").exists)
        time.sleep(1)
        began = time.perf_counter()
        for _ in range(presses):
            run.send_signal(signal.SIGINT)
            time.sleep(0.1)
        status = run.wait()
        name = ("once", "twice")[presses - 1]
        figures[f"ctrl_c_{name}_status"] = status
        figures[f"ctrl_c_{name}_seconds"] = time.perf_counter() - began
        time.sleep(1)
        figures[f"ctrl_c_{name}_left"] = len(processes_in(place))
        with Store(place / "runs.db") as store:
            figures[f"ctrl_c_{name}_last_word"] = store.logs(1)[-1].message if store.logs(1) else store.run(1).status
    return figures


def until(condition: Any) -> None:
    """Waits for something, at most a minute."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


if __name__ == "__main__":
    main()
