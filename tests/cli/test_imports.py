"""The light commands stay light: what they import. How long they take is measured by benchmarks/start_up.py."""

import subprocess
import sys

import pytest
from helpers.stored_runs import add_done

from agopconsole.store import Store

HEAVY = {
    "torch",
    "torchvision",
    "numpy",
    "sklearn",
    "scipy",
    "PIL",
    "textual",
    "plotext",
    "sqlite_utils",
    "psutil",
    "pydantic",
}
LIGHT_COMMANDS = [
    "--help",
    "--version",
    "run --help",
    "runs list",
    "runs list --format json",
    "runs show 1",
    "report",
]

REPORT_MODULES = """
import sys
from agopconsole.cli.entry import run
status = run(sys.argv[1:])
print(",".join(sys.modules), file=sys.stderr)
sys.exit(status)
"""


@pytest.fixture
def folder(tmp_path):
    with Store(tmp_path / "runs.db", create=True) as store:
        for seed in range(2):
            add_done(store, 80.0, seed=seed, study="s")
            add_done(store, 90.0, seed=seed, study="s", init="kaiming_normal")
    return tmp_path


def python(arguments, folder):
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=True)


@pytest.mark.parametrize("command", LIGHT_COMMANDS)
def test_light_commands_import_nothing_heavy(folder, command):
    done = python(["-c", REPORT_MODULES, *command.split()], folder)
    assert done.stdout
    modules = set(done.stderr.splitlines()[-1].split(","))
    assert not modules & HEAVY
    if "json" in command or "help" in command:
        assert "rich.table" not in modules


def test_the_process_of_a_job_imports_no_command_line():
    done = python(["-c", "import sys, agopconsole.__main__; print(*sys.modules)"], None)
    assert "typer" not in done.stdout.split()
