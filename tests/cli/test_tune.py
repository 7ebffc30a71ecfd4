"""`tune` with the fake engine in the engine's place."""

import importlib.util
import json
import tomllib

import pytest
from helpers.processes import call, processes_in

from agopconsole.store import Store

STUDY = """
name = "tiny"
inits = ["kaiming_uniform", "kaiming_normal"]
seeds = [0, 3]
[tune]
trials = 2
lr = [0.001, 0.01]
[run]
epochs = 1
lr = 0.002
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "tiny.toml").write_text(STUDY)
    return tmp_path


def test_it_finds_the_best_writes_the_comparison_and_trains_it(folder):
    code, out, err = call(["tune", "tiny.toml", "--then-compare", "--format", "json"], folder)
    assert code == 0
    table, _ = json.JSONDecoder().raw_decode(out)
    assert [(row["method"], row["trials"], row["best"]) for row in table["rows"]] == [
        ("kaiming_uniform", 2, 46.0),
        ("kaiming_normal", 2, 46.0),
    ]
    compared = tomllib.loads((folder / "tiny-best.toml").read_text())
    assert (compared["name"], compared["seeds"]) == ("tiny-best", [0, 3])
    with Store(folder / "runs.db") as store:
        assert [(run.study, run.seed) for run in store.runs()] == [("tiny-tune", 4)] * 4 + [
            ("tiny-best", seed) for seed in (0, 0, 3, 3)
        ]
        assert {run.status for run in store.runs()} == {"done"}
    assert "kaiming_normal on digits, trial 2 (run #4): lr " in err
    assert (folder / "runs.optuna.db").is_file()
    assert not processes_in(folder)


def test_without_optuna_it_says_in_one_line_how_to_get_it(cli, folder, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    status, out, err = cli("tune", "tiny.toml")
    assert (status, out) == (2, "")
    assert err.splitlines() == [
        "agopconsole: error: tune needs Optuna, which is not installed: pip install 'agopconsole[tune]'"
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("missing",), "at hand are"),
        (("tiny.toml", "--trials", "0"), "trials must be a whole number, 1 to 100000"),
        (("tiny.toml", "--trials", "many"), "'many' is no whole number"),
        (("tiny.toml", "--devices", "gpu"), "gpu"),
        (("tiny.toml", "--out", "nowhere/best.toml"), "there is no folder nowhere"),
        (("tiny.toml", "--out", "."), "'.' is a folder"),
        (("tiny.toml", "--out", "-"), "name a file for the study"),
        (("tiny.toml", "--out", "./tiny.toml"), "is the study itself"),
    ],
)
def test_a_wrong_request_makes_no_store(cli, folder, arguments, words):
    status, out, err = cli("tune", *arguments)
    assert (status, out) == (2, "")
    assert words in err
    assert not (folder / "runs.db").exists()
