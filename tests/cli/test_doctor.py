import json
import sqlite3
from contextlib import closing
from dataclasses import replace

from helpers.stored_runs import add_done
from helpers.terminal import Terminal

from agopconsole.queue.identity import process_owner
from agopconsole.spec import RunSpec


def test_doctor_finds_all_well(cli):
    status, out, _ = cli("doctor")
    assert status == 0
    assert [line.split()[1] for line in out.splitlines() if line.startswith("ok")][:3] == [
        "python",
        "torch",
        "device",
    ]
    assert "runs.db is made by the first run" in out


def test_doctor_names_a_broken_store(cli, tmp_path):
    (tmp_path / "runs.db").write_bytes(b"no database" * 500)
    status, out, _ = cli("doctor")
    assert status == 1
    [line] = [line for line in out.splitlines() if line.startswith("broken")]
    assert "runs.db" in line


def test_doctor_counts_the_runs_and_says_whose_process_is_gone(cli, store):
    add_done(store, 80.0)
    store.add_runs([RunSpec.parse({"seed": 1})])
    store.claim(replace(process_owner(), pid_started=0.0))
    status, out, _ = cli("doctor", "--format", "json")
    found = {finding["what"]: finding for finding in json.loads(out)}
    assert status == 0
    assert "runs.db: 2 runs, 1 of them still to be worked on" in found["store"]["text"]
    assert found["queue"]["state"] == "note"
    assert "the process of 1 running run is gone" in found["queue"]["text"]


def test_doctor_finds_damage_that_opening_a_store_does_not(cli, store):
    for seed in range(40):
        add_done(store, 80.0, seed=seed)
    with closing(sqlite3.connect(store.path)) as database:
        page = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'epochs'").fetchone()[0]
        size = database.execute("PRAGMA page_size").fetchone()[0]
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    with store.path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\x07" * size)
    status, out, _ = cli("doctor")
    assert status == 1
    assert any(line.startswith("broken  store") for line in out.splitlines())


def test_doctor_says_what_the_terminal_can_show(tmp_path):
    terminal = Terminal(["doctor"], tmp_path, columns=90, NO_COLOR="1")
    assert terminal.finish() == 0
    assert "90 x 40, TERM=xterm-256color" in terminal.text
    assert "no colour" in terminal.text
