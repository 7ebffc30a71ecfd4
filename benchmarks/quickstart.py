"""The README's quickstart in an empty folder: how long it takes, and the table that it prints.

    python benchmarks/quickstart.py

Everything happens in a folder that is thrown away; figures and table are kept in `results/quickstart.json`.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from record import write_result

CONFIG = Path(__file__).parent.parent / "configs" / "quickstart.toml"
BOUND = 180


def main() -> None:
    """Trains the study, prints its report and the seconds it took."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "agopconsole"]
        began = time.perf_counter()
        done = subprocess.run(
            [*command, "study", str(CONFIG)], cwd=folder, check=True, text=True, stdout=subprocess.PIPE
        )
        seconds = time.perf_counter() - began
        report = subprocess.run(
            [*command, "report", "--format", "json"], cwd=folder, check=True, text=True, stdout=subprocess.PIPE
        )
    print(done.stdout)
    print(f"{seconds:.0f} s in all; bound: {BOUND} s")
    write_result("quickstart", {"seconds": seconds, "report": json.loads(report.stdout)})


if __name__ == "__main__":
    main()
