"""The same step rows written to and read from this store, MLflow's (SQLite) and trackio's, side by side.

    uv run --with mlflow --with trackio python benchmarks/stores.py

Each writes 20,000 rows of three numbers in batches of 1,000 through its own bulk call, then reads them all back.
"""

import importlib.metadata
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from record import write_result

from agopconsole.metrics import StepMetrics
from agopconsole.spec import RunSpec
from agopconsole.store import Store

ROWS = 20_000
BATCH = 1000
BOUND = 10
NAMES = ("loss", "gradient_norm", "learning_rate")


def main() -> None:
    """Prints rows a second of each, and how many times as fast this store is."""
    figures: dict[str, dict[str, float]] = {}
    for name, measure in (("agopconsole", own), ("mlflow", mlflow), ("trackio", trackio)):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            write, read = measure(Path(folder))
            figures[name] = {"write_rows_a_second": timed(write), "read_rows_a_second": timed(read)}
    for name, rates in figures.items():
        line = f"{name:12}"
        for what, rate in rates.items():
            line += f"{what.split('_')[0]:>7}{rate:12,.0f} rows/s{figures['agopconsole'][what] / rate:8.1f} x"
        print(line)
    print(f"bound: {BOUND} x")
    versions = {name: importlib.metadata.version(name) for name in ("mlflow", "trackio")}
    write_result("stores", {**figures, "versions": versions})


def timed(work: Callable[[], int]) -> float:
    """Rows a second."""
    began = time.perf_counter()
    assert work() == ROWS
    return ROWS / (time.perf_counter() - began)


def rows_of(first: int) -> list[tuple[int, dict[str, float]]]:
    """A batch of steps and their numbers."""
    return [
        (step, dict(zip(NAMES, (1 / (1 + step), 0.5, 1e-3), strict=True))) for step in range(first, first + BATCH)
    ]


def own(folder: Path) -> tuple[Callable[[], int], Callable[[], int]]:
    """This store."""
    store = Store(folder / "runs.db", create=True)
    [run_id] = store.add_runs([RunSpec.parse({})])

    def write() -> int:
        for first in range(0, ROWS, BATCH):
            store.record_steps(run_id, [StepMetrics(step, 1, **row) for step, row in rows_of(first)])
        return ROWS

    return write, lambda: len(store.steps(run_id))


def mlflow(folder: Path) -> tuple[Callable[[], int], Callable[[], int]]:
    """MLflow's client on its SQLite store."""
    from mlflow.entities import Metric
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    run_id = client.create_run(client.create_experiment("rows")).info.run_id

    def write() -> int:
        for first in range(0, ROWS, BATCH):
            metrics = [Metric(name, value, 0, step) for step, row in rows_of(first) for name, value in row.items()]
            for start in range(0, len(metrics), 999):  # it takes no more than 1,000 at once
                client.log_batch(run_id, metrics=metrics[start : start + 999])
        return ROWS

    return write, lambda: min([len(client.get_metric_history(run_id, name)) for name in NAMES])


def trackio(folder: Path) -> tuple[Callable[[], int], Callable[[], int]]:
    """Trackio's local SQLite store, below the queue of its client."""
    os.environ["TRACKIO_DIR"] = str(folder)
    from trackio.sqlite_storage import SQLiteStorage

    def write() -> int:
        for first in range(0, ROWS, BATCH):
            rows = rows_of(first)
            SQLiteStorage.bulk_log("rows", "run", [row for _, row in rows], steps=[step for step, _ in rows])
        return ROWS

    return write, lambda: len(SQLiteStorage.get_logs("rows", "run"))


if __name__ == "__main__":
    main()
