"""The light commands stay light: what they import. How long they take is measured by benchmarks/start_up.py."""

import pytest
from helpers.imports import HEAVY, loaded_by
from helpers.stored_runs import add_done

from agopconsole.store import Store

LIGHT_COMMANDS = [
    "--help",
    "--version",
    "run --help",
    "runs list",
    "runs list --format json",
    "runs show 1",
    "report",
]


@pytest.fixture
def folder(tmp_path):
    with Store(tmp_path / "runs.db", create=True) as store:
        for seed in range(2):
            add_done(store, 80.0, seed=seed, study="s")
            add_done(store, 90.0, seed=seed, study="s", init="kaiming_normal")
    return tmp_path


@pytest.mark.parametrize("command", LIGHT_COMMANDS)
def test_light_commands_import_nothing_heavy(folder, command):
    code = "import sys; from agopconsole.cli.entry import run; assert run(sys.argv[1:]) == 0"
    modules, out = loaded_by(code, *command.split(), folder=folder)
    assert out
    assert not modules & HEAVY
    if "json" in command or "help" in command:
        assert "rich.table" not in modules


def test_the_process_of_a_job_imports_no_command_line():
    modules, _ = loaded_by("import agopconsole.__main__")
    assert "typer" not in modules
