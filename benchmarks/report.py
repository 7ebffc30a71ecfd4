"""How long `agopconsole report` takes over 10,000 runs with 1,000,000 epochs, all of them in one study.

    python benchmarks/report.py [--runs 10000] [--epochs 100]

Times are medians of 5 starts of the command, interpreter included: by the number that each run holds, by one that is
summed up from all epochs, with the starts beside it, and as JSON.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from record import write_result

from agopconsole.metrics import EpochMetrics, LayerStart
from agopconsole.spec import RunSpec
from agopconsole.store import Store

METHODS = (
    "kaiming_uniform",
    "kaiming_normal",
    "lecun_normal",
    "kaiming_nfm",
    "nfm",
    "kaiming_agop",
    "agop",
    "normal",
)
DATASETS = ("svhn", "cifar10", "cifar100", "tiny_imagenet", "mnist")
LRS = (0.001, 0.003, 0.01, 0.03, 0.1)
LAYERS = (*(f"features.{i}" for i in (0, 3, 6, 8, 11, 13, 16, 18)), "classifier.0", "classifier.3", "classifier.6")
QUESTIONS = {
    "report": [],
    "report --why": ["--why"],
    "report --format json": ["--format", "json"],
    "report --metric accuracy_area": ["--metric", "accuracy_area"],
    "report --metric epochs_to:70": ["--metric", "epochs_to:70"],
}
STARTS = 5
BOUND = 1.0


def main() -> None:
    """Makes the store, asks each question in turn, prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.db"
        made = make_store(path, options.runs, options.epochs)
        seconds: dict[str, list[float]] = {name: [] for name in QUESTIONS}
        for start in range(STARTS + 1):
            for name, arguments in QUESTIONS.items():
                command = [sys.executable, "-m", "agopconsole", "--db", str(path), "report", *arguments]
                began = time.perf_counter()
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                if start:  # the first start of each reads its files from the disk
                    seconds[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    print(", ".join(f"{count:,} {what}" for what, count in made.items()))
    for name, median in medians.items():
        print(f"{name:32}{median:6.2f} s")
    print(f"bound: {BOUND:g} s")
    write_result("report", {"made": made, "seconds": medians, "bound_seconds": BOUND})


def make_store(path: Path, runs: int, epochs: int) -> dict[str, int]:
    """One study: methods by data sets by learning rates, and seeds; epochs and starts straight into their tables."""
    generator = random.Random(0)
    cells = [(method, dataset, lr) for dataset in DATASETS for lr in LRS for method in METHODS]
    specs = [
        RunSpec.parse({"init": init, "dataset": data, "lr": lr, "seed": seed, "epochs": epochs, "study": "large"})
        for seed in range(math.ceil(runs / len(cells)))
        for init, data, lr in cells
    ][:runs]
    with Store(path, create=True) as store:
        ids = store.add_runs(specs)
        connection = store._connection
        connection.execute("BEGIN")
        for run_id, spec in zip(ids, specs, strict=True):
            best = 40 + 10 * METHODS.index(spec.init) ** 0.5 + generator.gauss(0, 1)
            rows = [history_row(run_id, epoch, best) for epoch in range(1, epochs + 1)]
            starts = [start_row(run_id, position, generator) for position in range(len(LAYERS))]
            for table, values in (("epochs", rows), ("layers", starts)):
                marks = ", ".join("?" * len(values[0]))
                columns = ", ".join(values[0])
                connection.executemany(
                    f"INSERT INTO {table} ({columns}) VALUES ({marks})", [tuple(row.values()) for row in values]
                )
            connection.execute(
                "UPDATE runs SET status = 'done', started_at = created_at, ended_at = created_at,"
                " epoch = epochs, best_epoch = epochs, best_val_accuracy = ?, final_val_accuracy = ?,"
                " test_accuracy = ?, loss_gap = 0.1"
                " WHERE id = ?",
                (best, best, best - 0.5, run_id),
            )
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("runs", "epochs", "layers")
        }


def history_row(run_id: int, epoch: int, best: float) -> dict[str, float]:
    """An epoch on the way to the best accuracy."""
    accuracy = best * (1 - math.exp(-epoch / 10))
    metrics = EpochMetrics(epoch, 100 * epoch, 1.0, accuracy, 0.9, accuracy, 1.1, accuracy, 0.5, 1e-3, 2.0, 900.0)
    return {"run_id": run_id, **asdict(metrics), "loss_gap": metrics.loss_gap}


def start_row(run_id: int, position: int, generator: random.Random) -> dict[str, float | str]:
    """The start of a layer."""
    start = LayerStart(LAYERS[position], 64, 576, 1.0, 2 * generator.lognormvariate(0, 1), 1.0, 0.3, 9.0, 0.1)
    return {"run_id": run_id, "position": position, **asdict(start)}


if __name__ == "__main__":
    main()
