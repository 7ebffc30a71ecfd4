import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.stored_runs import add_done

from agopconsole.cli.entry import globals_first
from agopconsole.errors import RequestError
from agopconsole.store import Store

COMMAND = f"{sys.executable} -m agopconsole"


@pytest.mark.parametrize(
    ("given", "moved"),
    [
        ("runs list --db a", "--db a runs list"),
        ("runs list --db=a --format json", "--db=a runs list --format json"),
        ("run --data-dir d --init nfm --db a", "--data-dir d --db a run --init nfm"),
        ("run -- --db a", "run -- --db a"),
        ("runs list", "runs list"),
    ],
)
def test_global_options_may_stand_anywhere(given, moved):
    assert globals_first(given.split()) == moved.split()


def test_a_global_option_without_a_value():
    with pytest.raises(RequestError, match="'--db' requires an argument"):
        globals_first(["run", "--db"])


@pytest.fixture
def shell(tmp_path):
    """Runs a line of bash in a folder with a store."""
    with Store(tmp_path / "runs.db", create=True) as store:
        add_done(store, 50.0)

    def shell(line):
        command = ["bash", "-c", line.replace("agopconsole", COMMAND)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return shell


def test_a_reader_that_has_seen_enough_is_no_error(shell):
    done = shell("agopconsole runs show 1 --format json | head -n 1; exit ${PIPESTATUS[0]}")
    assert (done.stdout, done.stderr) == ("{\n", "")
    assert done.returncode in (0, 141)  # 0 where all of it was written before the reader had enough


def test_a_full_disk_behind_standard_output_is_an_error_in_one_line(shell):
    done = shell("agopconsole runs list > /dev/full")
    assert (done.returncode, done.stderr) == (1, "agopconsole: error: No space left on device\n")


def test_an_error_that_cannot_be_told_still_has_its_status(shell):
    assert shell("agopconsole runs show 7 2> /dev/full").returncode == 2


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_standard_streams_that_are_closed(shell, tmp_path, closed):
    done = shell(f"agopconsole run --queue {closed}")
    assert (done.returncode, done.stderr) == (0, "")
    assert shell(f"agopconsole runs show 7 {closed}").returncode == 2
    with Store(tmp_path / "runs.db") as store:
        assert [run.status for run in store.runs()] == ["done", "queued"]
        assert store.damage() is None


def test_a_folder_that_is_gone(shell):
    done = shell("mkdir gone; cd gone; rmdir ../gone; agopconsole runs list")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "agopconsole: error: the folder that you are in is not there any more\n"


@pytest.mark.parametrize(
    "line", ["runs list --study $'\\xff'", "report --study $'\\xff'", "run --queue --mirror $'\\xff'"]
)
def test_bytes_that_are_no_text_are_refused_in_one_line(shell, line):
    done = shell(f"agopconsole {line}")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "agopconsole: error: " in done.stderr


def test_a_log_may_have_any_name(shell, tmp_path):
    log = {"train_losses": [1], "val_losses": [1], "train_accs": [0.5], "val_accs": [0.5]}
    content = json.dumps({**log, "config": {"init": "nfm", "dataset": "cifar10"}})
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.json")).write_text(content)
    done = shell("agopconsole runs import $'\\xff.json'")
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert "imported from \ufffd.json" in shell("agopconsole runs logs 2").stdout
