"""How long the light commands take to answer, beside a bare interpreter's start on the same machine.

    python benchmarks/start_up.py

Times are medians of 15 starts each, in turn, so that a busy moment falls on all of them.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from record import write_result

COMMANDS = {
    "bare interpreter": ["-c", "pass"],
    "agopconsole --help": ["-m", "agopconsole", "--help"],
    "agopconsole runs list": ["-m", "agopconsole", "runs", "list"],
    "agopconsole report": ["-m", "agopconsole", "report"],
}
STARTS = 15
BOUND = 25


def main() -> None:
    """Starts each command in turn, prints the medians and their ratios to the bare start."""
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
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    bare = medians["bare interpreter"]
    for name, median in medians.items():
        print(f"{name:24}{1000 * median:7.0f} ms{median / bare:7.1f} x")
    print(f"bound: {BOUND} x")
    write_result("start_up", {name: {"seconds": m, "ratio": m / bare} for name, m in medians.items()})


if __name__ == "__main__":
    main()
