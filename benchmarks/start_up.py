"""How long the light commands take to answer, beside a bare interpreter's start, and a run to its first step.

    python benchmarks/start_up.py

Times of the commands are medians of 15 starts each, in turn, so that a busy moment falls on all of them. The first
step is VGG11's at 32 px, until its numbers are in the store: of a study's first run from the command on, of the next
from the end of the first; medians of 3 studies on the digits and on noise in the form and number of CIFAR-10.
"""

import contextlib
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from record import write_result

from agopconsole.errors import RequestError
from agopconsole.store import Store

COMMANDS = {
    "bare interpreter": ["-c", "pass"],
    "agopconsole --help": ["-m", "agopconsole", "--help"],
    "agopconsole runs list": ["-m", "agopconsole", "runs", "list"],
    "agopconsole report": ["-m", "agopconsole", "report"],
}
STARTS = 15
BOUND = 25
STUDIES = 3
WAIT_SECONDS = 120
STUDY = """
inits = ["kaiming_normal"]
seeds = [0, 1]
[run]
dataset = "{dataset}"
epochs = 1
limit = 64
device = "cpu"
image_size = 32
"""


def main() -> None:
    """Starts each command in turn, prints the medians and their ratios to the bare start, and the first steps."""
    medians = {name: statistics.median(times) for name, times in command_seconds().items()}
    bare = medians["bare interpreter"]
    for name, median in medians.items():
        print(f"{name:24}{1000 * median:7.0f} ms{median / bare:7.1f} x")
    print(f"bound: {BOUND} x")
    figures = {name: {"seconds": m, "ratio": m / bare} for name, m in medians.items()}
    for dataset in ("digits", "cifar10"):
        with tempfile.TemporaryDirectory() as folder:
            if dataset == "cifar10":
                make_pictures(Path(folder))
            first, later = zip(*[first_steps(dataset, Path(folder), study) for study in range(STUDIES)], strict=True)
        for name, seconds in (("first run", first), ("next run", later)):
            figures[f"first step, {dataset}, {name}"] = {"seconds": statistics.median(seconds)}
            print(f"first step, {dataset}, {name}: {statistics.median(seconds):.2f} s")
    write_result("start_up", figures)


def command_seconds() -> dict[str, list[float]]:
    """The seconds of every start of each command."""
    store = Path(__file__).parent.parent / "runs.db"
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "runs.db"
        copy.write_bytes(store.read_bytes())
        for start in range(STARTS + 1):
            for name, arguments in COMMANDS.items():
                began = time.perf_counter()
                subprocess.run([sys.executable, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)
                if start:  # the first start of each reads its files from the disk
                    seconds[name].append(time.perf_counter() - began)
    return seconds


def first_steps(dataset: str, folder: Path, study: int) -> tuple[float, float]:
    """Seconds from the command to the first step of a study's first run, and from that run's end to the next's."""
    config, path = folder / "study.toml", folder / f"{study}.db"
    config.write_text(STUDY.format(dataset=dataset))
    command = ["-m", "agopconsole", "--db", path, "--data-dir", folder, "study", config]
    with Store(path, create=True) as store:
        began = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as done:
            stepped = moment(lambda: bool(store.steps(1)))
            ended = moment(lambda: store.run(1).status == "done")
            next_stepped = moment(lambda: bool(store.steps(2)))
        if done.returncode:
            raise SystemExit(f"the study on {dataset} failed: this measures nothing")
    return stepped - began, next_stepped - ended


def moment(happened: Callable[[], bool]) -> float:
    """When that is first so."""
    until = time.perf_counter() + WAIT_SECONDS
    while time.perf_counter() < until:
        with contextlib.suppress(RequestError):  # the run is not yet queued
            if happened():
                return time.perf_counter()
        time.sleep(0.005)
    raise SystemExit(f"nothing happened within {WAIT_SECONDS} s: this measures nothing")


def make_pictures(folder: Path) -> None:
    """Noise in the form of CIFAR-10's batches."""
    batches = folder / "cifar-10-batches-py"
    batches.mkdir()
    rng = np.random.default_rng(0)
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        content = {
            "data": rng.integers(256, size=(10_000, 3072), dtype=np.uint8),
            "labels": rng.integers(10, size=10_000).tolist(),
        }
        (batches / name).write_bytes(pickle.dumps(content))
    (batches / "batches.meta").write_bytes(pickle.dumps({"label_names": [f"class {i}" for i in range(10)]}))


if __name__ == "__main__":
    main()
