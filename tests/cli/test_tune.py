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


def test_a_dry_run_says_what_would_be_tried_and_makes_nothing(cli, folder):
    before = sorted(path.name for path in folder.iterdir())
    status, out, err = cli("tune", "tiny.toml", "--dry-run", "--trials", "3")
    assert (status, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["digits", "kaiming_uniform", "yes", "0", "3"] in lines
    assert out.splitlines()[-4:] == [
        "study tiny: 2 methods x 3 trials, 0 done or on their way, 6 to train",
        "searched: lr from 0.001 to 0.01 by factors",
        "time, one run after another: not known: nothing comparable was ever trained on a processor (6 of vgg11 at"
        " 32 px in float32, batches of 64)",
        "the comparison after it: 4 runs more",
    ]
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_dry_run_tells_what_is_left_of_a_search_its_sources_and_its_time(folder):
    assert call(["tune", "tiny.toml", "--trials", "1"], folder)[0] == 0
    with Store(folder / "runs.db") as store:
        runs = store.runs()
    more = STUDY.replace('"kaiming_normal"]', '"kaiming_normal", {init = "nfm", source = "dataset:digits:0-4"}]')
    (folder / "tiny.toml").write_text(more.replace("lr = 0.002", "lr = 0.5"))
    code, out, err = call(["tune", "tiny.toml", "--dry-run", "--format", "json"], folder)
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert [(row["method"], row["own"], row["begun"], row["left"]) for row in answer["rows"]] == [
        ("kaiming_uniform", False, 1, 1),
        ("kaiming_normal", False, 1, 1),
        ("nfm", False, 0, 2),
    ]
    assert (answer["missing"], answer["compared"], answer["searched"]) == (4, 6, {"lr": [0.001, 0.01]})
    assert [source["classes"] for source in answer["sources"]] == ["0-4"]
    assert answer["seconds_known_of"] == 5  # the source among them
    assert answer["seconds"] > 0
    with Store(folder / "runs.db") as store:
        assert store.runs() == runs


def test_what_is_refused_is_refused_by_a_dry_run_as_well(cli, folder):
    (folder / "tiny.toml").write_text(f"{STUDY}limit = 2000\n")
    for how in ((), ("--dry-run",)):
        status, out, err = cli("tune", "tiny.toml", *how)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert "limit 2000: digits has 1,150 images to train on" in err
    assert not (folder / "runs.db").exists()


@pytest.mark.parametrize("how", [(), ("--dry-run",)])
@pytest.mark.parametrize("content", [b"no database", None])
def test_a_file_that_optuna_cannot_use_is_named_in_one_line(cli, folder, how, content):
    path = folder / "runs.optuna.db"
    path.mkdir() if content is None else path.write_bytes(content)
    status, out, err = cli("tune", "tiny.toml", *how)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert f"{path}, where Optuna keeps its searches, cannot be used: " in err
    assert content is None or path.read_bytes() == content


def test_neither_the_folder_nor_the_name_of_a_study_leads_a_search_elsewhere(folder):
    place = folder / "is it?#1 50%25 of é"
    place.mkdir()
    (place / "s.toml").write_text(STUDY.replace('"tiny"', '"../tiny"'))
    assert call(["tune", "s.toml", "--trials", "1"], place)[0] == 0
    assert {path.name for path in place.iterdir()} == {
        "..-tiny-best.toml",
        "runs.db",
        "runs.files",
        "runs.optuna.db",
        "s.toml",
    }
    assert {path.name for path in folder.iterdir()} == {place.name, "tiny.toml"}
    answer = json.loads(call(["tune", "s.toml", "--trials", "1", "--dry-run", "--format", "json"], place)[1])
    assert [row["begun"] for row in answer["rows"]] == [1, 1]


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
        (("tiny.toml", "--db", "/"), "/ is not a store that can be used: it is a folder"),
    ],
)
def test_a_wrong_request_makes_no_store(cli, folder, arguments, words):
    status, out, err = cli("tune", *arguments)
    assert (status, out) == (2, "")
    assert words in err
    assert not (folder / "runs.db").exists()
