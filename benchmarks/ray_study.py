"""One small study trained by processes of this machine and by a local Ray cluster: are the tables equal?

    uv run --with ray python benchmarks/ray_study.py

Two methods, two seeds and the source that one of them starts from, one thread a run on either side; every number of
every history must be equal, not only the table's.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from record import write_result
from stress import numbers

from agopconsole.store import Store

STUDY = """
name = "both-ways"
inits = ["kaiming_normal", "kaiming_nfm"]
seeds = 2
[run]
source = "dataset:digits:0-4"
source_epochs = 1
classes = "5-9"
limit = 128
epochs = 2
device = "cpu"
"""
WAYS = {"local": ["--devices", "cpu"], "ray": ["--executor", "ray"]}


def main() -> None:
    """Prints both tables and whether they are equal; exits with 1 if not."""
    tables, histories, seconds = {}, {}, {}
    for way, options in WAYS.items():
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "study.toml").write_text(STUDY)
            call(folder, "study", "study.toml", "--queue")
            began = time.perf_counter()
            call(folder, "worker", "--drain", "--slots", "2", *options)
            seconds[way] = time.perf_counter() - began
            tables[way] = call(folder, "report", "--study", "both-ways")
            with Store(Path(folder) / "runs.db") as store:
                histories[way] = {run.name: (run.status, numbers(store, run.id)) for run in store.runs()}
        print(f"{way}, {seconds[way]:.0f} s:\n{tables[way]}")
    figures: dict[str, Any] = {
        "runs": len(histories["local"]),
        "done_on_ray": sum(status == "done" for status, _ in histories["ray"].values()),
        "tables_equal": tables["local"] == tables["ray"],
        "histories_equal": histories["local"] == histories["ray"],
    }
    print(*(f"{name:16}{value}" for name, value in figures.items()), sep="\n")
    write_result("ray_study", figures)
    sys.exit(not (figures["tables_equal"] and figures["histories_equal"]))


def call(folder: str, *arguments: str) -> str:
    """What the command line prints in `folder`, with one thread a run."""
    command = [sys.executable, "-m", "agopconsole", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=folder, env=environment, check=True, text=True, stdout=subprocess.PIPE).stdout


if __name__ == "__main__":
    main()
