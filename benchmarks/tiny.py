"""The command line with the engine of `tiny_engine.py`.

python benchmarks/tiny.py worker --drain
"""

import os
import sys
from pathlib import Path


def environment() -> dict[str, str]:
    """The variables under which a started worker finds the engine."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "OMP_NUM_THREADS": "1"}


if __name__ == "__main__":
    from agopconsole.cli.entry import run
    from agopconsole.queue import launch

    launch.ENGINE = "tiny_engine:execute"
    sys.exit(run(sys.argv[1:]))
