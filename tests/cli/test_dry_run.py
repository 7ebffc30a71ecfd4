"""`study --dry-run`: what there is to train, what is done, how long it takes; and nothing happens."""

import json
import sqlite3

import pytest
from helpers.stored_runs import add_done, add_failed

from agopconsole.spec import RunSpec
from agopconsole.store import Store

STUDY = """
name = "tiny"
inits = ["kaiming_uniform", "kaiming_nfm", {init = "agop", agop_images = 8}]
seeds = 2
[run]
source = "dataset:digits:0-4"
source_epochs = 1
epochs = 2
[grid]
lr = [0.1, 0.01]
"""


@pytest.fixture
def study(tmp_path):
    (tmp_path / "tiny.toml").write_text(STUDY)
    return tmp_path / "tiny.toml"


def spec(**changes):
    return {"epochs": 2, "lr": 0.1, "study": "tiny", "init": "kaiming_uniform", **changes}


def test_it_counts_by_method_names_the_source_and_makes_no_store(cli, study, tmp_path):
    status, out, err = cli("study", study, "--dry-run")
    assert (status, err) == (0, "")
    table = [line.split() for line in out.splitlines()]
    assert ["digits", "kaiming_nfm", "0.1", "2", "0", "2"] in table
    assert ["digits", "agop", "0.01", "2", "0", "2"] in table
    assert out.splitlines()[-3:] == [
        "study tiny: 12 runs, 0 done or on their way, 12 to train",
        "a source to be trained first: vgg11 on digits, classes 0-4, 1 epoch (kaiming_normal)",
        "time, one run after another: not known: nothing comparable was ever trained on a processor (13 of vgg11 at "
        "32 px in float32, batches of 64)",
    ]
    assert not (tmp_path / "runs.db").exists()


def test_one_source_is_trained_for_two_networks(cli, study):
    grid = 'source_model = "vgg11"\n[grid]\nmodel = ["vgg11", "vgg11_bn"]\n'
    study.write_text(STUDY.replace("[grid]", grid))
    lines = cli("study", study, "--dry-run")[1].splitlines()
    assert [line for line in lines if "trained first" in line] == [
        "a source to be trained first: vgg11 on digits, classes 0-4, 1 epoch (kaiming_normal)"
    ]
    assert "source model" not in lines[0]


def test_what_is_done_diverged_and_on_its_way_is_told_apart(cli, study, store):
    add_done(store, 80.0, **spec())
    add_failed(store, diverged=True, **spec(seed=1))
    add_failed(store, diverged=False, **spec(lr=0.01))
    store.add_runs([RunSpec.parse(spec(lr=0.01, seed=1))])
    before = store.runs()
    answer = json.loads(cli("study", study, "--dry-run", "--format", "json")[1])
    assert (answer["runs"], answer["missing"]) == (12, 9)
    rows = {(row["method"], row["lr"]): row for row in answer["rows"]}
    counts = ("runs", "done", "diverged", "under_way", "missing")
    assert [rows["kaiming_uniform", 0.1][name] for name in counts] == [2, 1, 1, 0, 0]
    assert [rows["kaiming_uniform", 0.01][name] for name in counts] == [2, 0, 0, 1, 1]
    assert store.runs() == before


def test_runs_that_are_done_say_how_long_the_others_take(cli, study, store):
    run_id = add_done(store, 80.0, **spec())
    assert (
        json.loads(cli("study", study, "--dry-run", "--format", "json")[1])["seconds"] is None
    )  # its device is unknown
    store.record_setup(run_id, device="cpu", data_origin="made up", environment={})
    answer = json.loads(cli("study", study, "--dry-run", "--format", "json")[1])
    # Two seconds an epoch for eleven runs; the source has about half the images, and trains them in one epoch.
    assert answer["seconds"] == pytest.approx(11 * 2 * 2.0 + 1.0, abs=0.1)
    assert (answer["unknown"], answer["never_trained_on"]) == ({}, [])
    assert answer["measured_on"] == {"here": {}, "elsewhere": {"cpu": 1}}


def test_a_source_that_is_there_is_not_counted_again(cli, study, store):
    [source, _] = [
        store.run(i)
        for i in (1, *store.add_runs([RunSpec.parse(spec(init="nfm", source="dataset:digits:0-4", source_epochs=1))]))
    ]
    assert source.trains_source
    assert json.loads(cli("study", study, "--dry-run", "--format", "json")[1])["sources"] == []


def test_as_csv_it_is_the_table_alone(cli, study):
    lines = cli("study", study, "--dry-run", "--format", "csv")[1].splitlines()
    assert lines[0] == "dataset,method,lr,runs,done,diverged,under_way,lost,missing"
    assert len(lines) == 7


def test_it_is_not_asked_for_together_with_the_queue(cli, study, tmp_path):
    status, out, err = cli("study", study, "--dry-run", "--queue")
    assert (status, out) == (2, "")
    assert "--dry-run queues nothing" in err
    assert not (tmp_path / "runs.db").exists()


def test_a_study_that_cannot_be_trained_is_refused_as_without_it(cli, study):
    study.write_text(STUDY.replace('"dataset:digits:0-4"', '"missing.pt"').replace("source_epochs = 1", ""))
    status, out, err = cli("study", study, "--dry-run")
    assert (status, out) == (2, "")
    assert "there is no such file" in err


@pytest.mark.parametrize("how", [(), ("--dry-run",), ("--queue",)])
@pytest.mark.parametrize("rounds", ["", "rounds = 2\n"])
def test_a_source_run_that_is_not_there_is_refused_and_leaves_nothing(cli, study, tmp_path, how, rounds):
    study.write_text(rounds + 'inits = ["kaiming_uniform", {init = "nfm", source = "run:7"}]\n')
    status, out, err = cli("study", study, *how)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "there is no run #7" in err
    assert not (tmp_path / "runs.db").exists()
    with Store(tmp_path / "runs.db", create=True) as store:
        assert cli("study", study, *how)[2].endswith("there is no run #7 in runs.db\n")
        assert (store.runs(), store.study_record("tiny")) == ([], None)


@pytest.mark.parametrize("how", [(), ("--dry-run",), ("--queue",)])
def test_a_source_run_that_came_to_nothing_is_refused_and_leaves_nothing(cli, study, store, how):
    failed = add_failed(store, diverged=True, study="before")
    study.write_text(f'inits = ["kaiming_uniform", {{init = "nfm", source = "run:{failed}"}}]\n')
    status, out, err = cli("study", study, *how)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert f"source 'run:{failed}': that run is failed; start from one that is done" in err
    assert (len(store.runs()), store.study_record("tiny")) == (1, None)


def test_what_is_done_already_needs_its_source_run_no_more(cli, study, store):
    source = add_done(store, 80.0, study="before")
    fields = {"init": "nfm", "source": f"run:{source}"}
    study.write_text(f'inits = ["kaiming_uniform", {{init = "nfm", source = "run:{source}"}}]\n')
    add_done(store, 70.0, study="tiny", **fields)
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE runs SET status = 'failed' WHERE id = ?", (source,))
    connection.close()
    assert cli("study", study, "--dry-run")[0] == 0


@pytest.mark.parametrize("how", [(), ("--dry-run",), ("--queue",)])
def test_more_images_than_there_are_are_refused_before_anything_is_made(cli, study, tmp_path, how):
    study.write_text('inits = ["kaiming_uniform"]\n[run]\nlimit = 2000\n')
    status, out, err = cli("study", study, *how)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "limit 2000: digits has 1,150 images to train on (287 of 1,437 are held out)" in err
    assert not (tmp_path / "runs.db").exists()
