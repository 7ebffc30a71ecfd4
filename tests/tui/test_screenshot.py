"""The picture for the README: the command makes it, and makes the same one twice."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "screenshot.py"


def take(store, svg):
    command = [sys.executable, SCRIPT, store, svg, "--size", "100x30", "--press", "down,space,space"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "100 x 30" in done.stdout
    return svg.read_text()


def test_the_same_store_and_keys_give_the_same_picture(demo, tmp_path):
    first = take(demo, tmp_path / "1.svg")
    assert first.startswith("<svg")
    assert "kaiming_uniform" in first
    assert first == take(demo, tmp_path / "2.svg")
