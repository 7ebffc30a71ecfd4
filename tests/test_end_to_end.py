"""One study on digits through the real command: data, source, features, training, store, report."""

import csv
import json
import os
import subprocess
import sys

import pytest

STUDY = """
name = "small"
inits = ["kaiming_uniform", "kaiming_nfm", "kaiming_agop"]
seeds = 2

[run]
dataset = "digits"
classes = "5-9"
source = "dataset:digits:0-1"
source_epochs = 1
limit = 64
val_fraction = 0.05
epochs = 1
batch_size = 32
agop_images = 4
model = "vgg11"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which the study has run."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "small.toml").write_text(STUDY)
    assert command(folder, "study", "small.toml").returncode == 0
    return folder


def command(folder, *arguments):
    environment = {**os.environ, "AGOPCONSOLE_DATA": str(folder / "data")}
    environment.pop("AGOPCONSOLE_DB", None)
    return subprocess.run(
        [sys.executable, "-m", "agopconsole", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def answer(folder, *arguments):
    return json.loads(command(folder, *arguments, "--format", "json").stdout)


def test_every_run_is_done_and_one_source_run_served_all_that_waited(folder):
    runs = answer(folder, "runs", "list")
    assert [run["status"] for run in runs] == ["done"] * 7
    sources = [run for run in runs if run["name"].startswith("source")]
    assert [(run["dataset"], run["epochs"]) for run in sources] == [("digits", 1)]
    asked = [(run["init"], run["seed"]) for run in runs if run not in sources]
    assert asked == [(i, s) for s in (0, 1) for i in ("kaiming_uniform", "kaiming_nfm", "kaiming_agop")]


def test_the_report_compares_the_methods_over_their_seeds(folder):
    report = answer(folder, "report", "--metric", "best_val_accuracy")
    assert answer(folder, "report")["metric"] == "test_accuracy"  # digits have a test split
    rows = {row["init"]: row for row in report["rows"]}
    assert {method: row["n"] for method, row in rows.items()} == {
        "kaiming_uniform": 2,
        "kaiming_nfm": 2,
        "kaiming_agop": 2,
    }
    for method, row in rows.items():
        ids = [run["id"] for run in answer(folder, "runs", "list") if run["init"] == method]
        histories = [answer(folder, "runs", "show", str(run_id))["history"] for run_id in ids]
        best = [max(epoch["val_accuracy"] for epoch in history) for history in histories]
        assert row["mean"] == pytest.approx(sum(best) / 2)


def test_a_run_shows_its_start_and_where_its_data_came_from(folder):
    shown = answer(folder, "runs", "show", "3")
    assert shown["start"][0]["layer"] == "features.0"
    assert shown["history"][0]["epoch"] == 1
    assert shown["spec"]["classes"] == "5-9"
    assert "built into scikit-learn" in command(folder, "runs", "show", "3").stdout


def test_seeds_are_repeats_and_not_one_run_twice(folder):
    runs = [run for run in answer(folder, "runs", "list") if run["init"] == "kaiming_uniform"]
    losses = [answer(folder, "runs", "show", str(run["id"]))["history"][0]["train_loss"] for run in runs]
    assert losses[0] != losses[1]


def test_the_same_study_again_has_nothing_left_to_do(folder):
    again = command(folder, "study", "small.toml")
    assert again.returncode == 0
    assert "6 of them done" in again.stderr
    assert len(answer(folder, "runs", "list")) == 7


def test_the_same_command_in_another_folder_gives_the_same_numbers(folder, tmp_path):
    asked = answer(folder, "runs", "show", "1")["spec"]
    options = [
        f"--{name.replace('_', '-')}={value}"
        for name, value in asked.items()
        if value not in (None, "") and name not in ("study", "name")
    ]
    assert command(tmp_path, "run", *options).returncode == 0
    histories = [answer(place, "runs", "show", "1")["history"] for place in (folder, tmp_path)]
    timeless = [[{k: v for k, v in epoch.items() if "second" not in k} for epoch in h] for h in histories]
    assert timeless[0] == timeless[1]


def test_a_run_that_is_trained_once_more_is_equal_bit_for_bit(folder):
    [run] = [run for run in answer(folder, "runs", "list") if (run["init"], run["seed"]) == ("kaiming_agop", 1)]
    again = command(folder, "runs", "verify", str(run["id"]))
    assert again.returncode == 0
    assert "equal to the stored run, bit for bit, in its epoch and in its test accuracy" in again.stdout
    assert len(answer(folder, "runs", "list")) == 7


def test_the_table_can_be_read_by_other_programs(folder):
    rows = list(csv.DictReader(command(folder, "report", "--format", "csv").stdout.splitlines()))
    assert [row["n"] for row in rows] == ["2", "2", "2"]
    assert command(folder, "report", "--format", "markdown").stdout.count("kaiming_nfm") >= 1


def test_inspect_measures_the_start_that_the_run_had(folder):
    shown = answer(folder, "runs", "show", "1")
    options = ["--dataset=digits", "--classes=5-9", "--limit=64", "--val-fraction=0.05", "--init=kaiming_uniform"]
    assert answer(folder, "inspect", *options) == shown["start"]


def test_inspect_takes_the_source_that_is_trained_already(folder):
    [run] = [run for run in answer(folder, "runs", "list") if (run["init"], run["seed"]) == ("kaiming_nfm", 0)]
    spec = answer(folder, "runs", "show", str(run["id"]))["spec"]
    names = ("dataset", "classes", "limit", "val_fraction", "batch_size", "init", "source", "source_epochs")
    options = [f"--{name.replace('_', '-')}={spec[name]}" for name in names]
    assert answer(folder, "inspect", *options) == answer(folder, "runs", "show", str(run["id"]))["start"]
    assert len(answer(folder, "runs", "list")) == 7
