"""`runs import`: finished runs out of logs, all or none, none twice."""

import json

import pytest

from agopconsole.spec import RunSpec
from agopconsole.store import Store


def write_log(folder, seed, **changes):
    log = {
        "train_losses": [2.0, 1.5],
        "val_losses": [1.9, 1.6],
        "train_accs": [30.0, 40.0],
        "val_accs": [41.0 + seed, 39.0],
        "test_acc": 38.0,
        "config": {"dataset": "cifar10", "init": "kaiming_uniform", "seed": seed},
    }
    path = folder / f"log-{seed}.json"
    path.write_text(json.dumps({**log, **changes}), encoding="utf-8")
    return path.name


def test_logs_become_finished_runs_of_a_study_marked_as_imported(cli, tmp_path):
    names = [write_log(tmp_path, seed) for seed in range(2)]
    assert cli("runs", "import", *names, "--study", "theirs") == (0, "", "log-0.json: run #1\nlog-1.json: run #2\n")
    runs = json.loads(cli("runs", "list", "--format", "json")[1])
    assert [(run["status"], run["study"], run["flags"]) for run in runs] == [("done", "theirs", ["imported"])] * 2
    assert (runs[1]["best_val_accuracy"], runs[1]["test_accuracy"], runs[1]["epoch"]) == (42.0, 38.0, 2)
    report = json.loads(cli("report", "--against", "poster", "--format", "json")[1])
    assert [(row["n"], row["mean"], row["reference"]) for row in report["rows"]] == [(2, 41.5, 77.32)]
    with Store(tmp_path / "runs.db") as store:
        assert store.run(1).best_epoch == 1
        assert store.logs(1)[-1].message == "imported from log-0.json; trained elsewhere"
        assert store.find_run(store.run(1).request.fingerprint) is None  # a study still trains its own


def test_no_log_is_taken_in_twice(cli, tmp_path):
    name = write_log(tmp_path, 0)
    cli("runs", "import", name)
    assert cli("runs", "import", name) == (0, "", "log-0.json: run #1, which holds it already\n")
    with Store(tmp_path / "runs.db") as store:
        assert len(store.runs()) == 1


def test_one_bad_log_keeps_all_out(cli, tmp_path):
    good, bad = write_log(tmp_path, 0), write_log(tmp_path, 1, val_accs=[1.0])
    status, out, err = cli("runs", "import", good, bad)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "log-1.json" in err
    assert not (tmp_path / "runs.db").exists()


def test_a_log_that_diverged_is_a_run_that_did(cli, tmp_path):
    cli("runs", "import", write_log(tmp_path, 0, train_losses=[2.0, None]))
    [run] = json.loads(cli("runs", "list", "--format", "json")[1])
    assert (run["status"], run["flags"]) == ("failed", ["diverged", "imported"])


@pytest.mark.parametrize("source", ["dataset:digits", "run:1"])
def test_a_source_that_would_have_to_be_trained_is_refused(cli, tmp_path, source):
    with Store(tmp_path / "runs.db", create=True) as store:
        store.add_runs([RunSpec()])
    status, _, err = cli("runs", "import", write_log(tmp_path, 0), "--init", "nfm", "--source", source)
    assert status == 2
    assert "has the source imagenet or a file" in err
    with Store(tmp_path / "runs.db") as store:
        assert len(store.runs()) == 1
