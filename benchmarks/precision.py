"""Does `auto` change what comes out? A study in `auto` and in float32, seed by seed.

    python benchmarks/precision.py [STUDY.toml] [--seeds N] [--methods A,B] [--folder F] [--device cuda] [--slots N]

Without a file the quickstart's study. Every run of the chosen methods is trained in both precisions; a row is a
method, with its test accuracy in each, the mean difference seed by seed with its 95 % interval, and the deviation of
one seed in float32, which the difference must stay below. The source's weights lie in the folder, where a store is
made if there is none: what it has already is not trained again.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from record import write_result

from agopconsole.analysis.statistics import compare, leaves_zero_out, summarise
from agopconsole.backend import devices
from agopconsole.backend.precision import pick_precision
from agopconsole.queue import requests
from agopconsole.queue.plan import plan
from agopconsole.spec import RunSpec
from agopconsole.store import Store
from agopconsole.study import expand

QUICKSTART = Path(__file__).parent.parent / "configs" / "quickstart.toml"
PRECISIONS = ("float32", "auto")


def specs(path: Path, seeds: int, methods: list[str]) -> dict[str, list[RunSpec]]:
    """The runs of the study's methods in each precision."""
    table = tomllib.loads(path.read_text(encoding="utf-8")) | {"seeds": seeds}
    found = {}
    for precision in PRECISIONS:
        runs = expand({**table, "run": {**table["run"], "precision": precision}}, path.stem).runs
        found[precision] = [run for run in runs if run.label in methods]
    return found


def accuracies(store: Store, runs: list[RunSpec]) -> dict[str, dict[int, float]]:
    """Test accuracies in percent, by method and model, then by seed; a run that diverged has none."""
    found: dict[str, dict[int, float]] = {}
    for run in store.runs(ids=plan(store, runs).known):
        if run.test_accuracy is not None and not run.diverged:
            found.setdefault(f"{run.method} {run.model}", {})[run.seed] = run.test_accuracy
    return found


def row(float32: dict[int, float], auto: dict[int, float]) -> dict[str, Any]:
    """What the seeds of one method come to."""
    plain, other = summarise(list(float32.values())), summarise(list(auto.values()))
    difference = compare(auto, float32)
    return {
        "n": difference.pairs,
        "float32": plain.mean,
        "auto": other.mean,
        "std": plain.std,
        "difference": difference.delta,
        "ci95": difference.ci95,
        "within_std": abs(difference.delta or 0) < (plain.std or 0),
        "shown": leaves_zero_out(difference.delta, difference.ci95),
    }


def train(folder: Path, wanted: dict[str, list[RunSpec]], device: str, slots: int) -> dict[str, dict[str, Any]]:
    """Trains what the folder's store lacks; a row for each method and model."""
    command = [sys.executable, "-m", "agopconsole", "worker", "--drain", "--devices", device, "--slots", str(slots)]
    with contextlib.chdir(folder), Store(Path("runs.db"), create=True) as store:
        for runs in wanted.values():
            requests.submit(store, plan(store, runs).missing)
        subprocess.run(command, check=True)
        float32, auto = (accuracies(store, wanted[precision]) for precision in PRECISIONS)
    return {label: row(list_of, auto[label]) for label, list_of in float32.items() if label in auto}


def main() -> None:
    """Trains and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", nargs="?", type=Path, default=QUICKSTART)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--methods", default="kaiming_uniform,kaiming_nfm")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--slots", type=int, default=1)
    asked = parser.parse_args()
    device = devices.pick(asked.device)
    wanted = specs(asked.study, asked.seeds, asked.methods.split(","))
    with tempfile.TemporaryDirectory() as empty:
        rows = train(asked.folder or Path(empty), wanted, str(device), asked.slots)
    auto = pick_precision("auto", device).name
    print(f"{asked.study.stem} on {device}, test accuracy in %; auto is {auto}")
    print("| method | n | float32 | auto | auto - float32 | std of a seed | below it |")
    print("|---|--:|--:|--:|--:|--:|---|")
    for label, found in rows.items():
        print(
            f"| {label} | {found['n']} | {found['float32']:.2f} | {found['auto']:.2f} |"
            f" {found['difference']:+.2f} ± {found['ci95']:.2f} | {found['std']:.2f} |"
            f" {'yes' if found['within_std'] else 'no'} |"
        )
    write_result(f"precision_{asked.study.stem}", {"auto": auto, "rows": rows}, device)


if __name__ == "__main__":
    main()
