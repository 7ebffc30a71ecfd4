"""`runs`, `report` and the formats, on stores with known numbers."""

import csv
import io
import json

import pytest
from helpers.stored_runs import OWNER, add_done, add_failed, make_epoch

from agopconsole.metrics import LayerStart
from agopconsole.spec import RunSpec

SUMMARY = (
    "id name study status init dataset model source seed epoch epochs attempts best_val_accuracy loss_gap flags error"
)
HISTORY = "epoch train_loss train_accuracy val_loss val_accuracy loss_gap seconds images_per_second"


def answer(cli, *arguments):
    status, out, err = cli(*arguments)
    assert (status, err) == (0, "")
    return json.loads(out)


def test_list_in_json(cli, store):
    add_done(store, 80.0, study="s", at_chance=True)
    add_failed(store, diverged=True, init="normal")
    done, failed = answer(cli, "runs", "list", "--format", "json")
    assert set(SUMMARY.split()) <= set(done)
    assert (done["status"], done["study"], done["best_val_accuracy"], done["flags"]) == (
        "done",
        "s",
        80.0,
        ["at_chance"],
    )
    assert (failed["status"], failed["flags"], failed["error"]) == ("failed", ["diverged"], "the loss is nan")


def test_list_of_a_study_and_a_status(cli, store):
    add_done(store, 80.0, study="a")
    add_done(store, 80.0, study="b")
    store.add_runs([RunSpec.parse({"study": "b"})])
    assert [run["id"] for run in answer(cli, "runs", "list", "--study", "b", "--format", "json")] == [2, 3]
    assert [run["id"] for run in answer(cli, "runs", "list", "--status", "queued", "--format", "json")] == [3]


def test_list_in_csv_and_markdown(cli, store):
    add_done(store, 80.0, name="one | two")
    rows = list(csv.DictReader(io.StringIO(cli("runs", "list", "--format", "csv")[1])))
    assert (rows[0]["name"], rows[0]["best_val_accuracy"]) == ("one | two", "80.0")
    assert cli("runs", "list", "--format", "markdown")[1].startswith("| id |")


def test_a_long_reason_is_cut_in_the_table_and_whole_elsewhere(cli, store):
    reason = ("the archive is not there: " + "looked here and there " * 15).strip()
    [run_id] = store.add_runs([RunSpec()])
    store.finish(run_id, "failed", reason)
    table = cli("runs", "list")[1]
    assert "the archive is not there: looked here" in table
    assert max(map(len, table.splitlines())) < 160
    assert answer(cli, "runs", "list", "--format", "json")[0]["error"] == reason
    assert reason in cli("runs", "show", "1")[1].splitlines()[0]


def test_an_empty_list_is_an_empty_list(cli, store):
    assert answer(cli, "runs", "list", "--format", "json") == []
    assert cli("runs", "list")[0] == 0


def test_a_run_of_another_machine_is_shown_with_its_source(cli, store):
    add_done(store, 80.0, init="nfm", source="imagenet")
    [run] = answer(cli, "runs", "list", "--format", "json")
    assert run["source"] == "imagenet"


def test_show_in_json(cli, store):
    [run_id] = store.add_runs([RunSpec.parse({"epochs": 2, "seed": 3})])
    store.claim(OWNER)
    store.record_start(run_id, [LayerStart("features.0", 64, 27, 1.0, 2.0, float("inf"), 0.25, 9.0, 0.1)])
    store.record_epoch(run_id, make_epoch(1))
    store.record_epoch(run_id, make_epoch(2, train_loss=float("nan"), val_loss=float("inf")))
    run = answer(cli, "runs", "show", run_id, "--format", "json")
    assert (run["spec"]["seed"], run["spec"]["epochs"]) == (3, 2)
    assert run["start"][0]["layer"] == "features.0"
    first, second = run["history"]
    assert list(first) == HISTORY.split()
    assert (first["loss_gap"], first["images_per_second"]) == (0.5, 100.0)
    assert (second["epoch"], second["train_loss"]) == (2, None)


def test_show_for_a_reader(cli, store):
    add_done(store, 81.25, init="normal", seed=3, test_accuracy=79.0)
    status, out, err = cli("runs", "show", "1")
    assert (status, err) == (0, "")
    assert out.startswith("#1 normal s3  done: best val 81.25 % in epoch 1, test 79.00 %\n")
    assert "asked for: init=normal, seed=3\n" in out


def test_logs(cli, store):
    [run_id] = store.add_runs([RunSpec.parse({})])
    store.log(run_id, "warning", "the source does not fit")
    assert cli("runs", "logs", run_id)[1].endswith("warning  the source does not fit\n")
    assert answer(cli, "runs", "logs", run_id, "--format", "json")[0]["level"] == "warning"


@pytest.mark.parametrize("command", ["runs list", "runs show 1", "runs logs 1", "runs list --format markdown"])
def test_what_others_wrote_gives_a_terminal_no_orders(cli, store, command):
    [run_id] = store.add_runs([RunSpec()])
    store.record_setup(run_id, device="cpu", data_origin="a file \x1b[2J", environment={"host": "\x07"})
    store.log(run_id, "error", "a library's \x1b]0;title\x07")
    store.finish(run_id, "failed", "bad \x1b[31mname")
    status, out, _ = cli(*command.split())
    assert (status, "\ufffd" in out) == (0, True)
    assert not {"\x1b", "\x07"} & set(out)


def test_cancel_one_and_a_whole_study(cli, store):
    store.add_runs([RunSpec.parse({"study": study, "seed": seed}) for study in ("a", "b") for seed in range(2)])
    assert cli("runs", "cancel", "1") == (0, "", "run #1 is cancelled\n")
    assert cli("runs", "cancel", "--study", "b")[0] == 0
    assert [run.status for run in store.runs()] == ["cancelled", "queued", "cancelled", "cancelled"]


def test_cancelling_a_source_with_its_runs_leaves_none_failed(cli, store):
    store.add_runs([RunSpec.parse({"study": "a", "init": "nfm", "source": "dataset:digits"})])
    assert cli("runs", "cancel", "--study", "a")[0] == 0
    assert [run.status for run in store.runs()] == ["cancelled", "cancelled"]


def test_a_wrong_id_cancels_nothing(cli, store):
    store.add_runs([RunSpec.parse({})])
    assert cli("runs", "cancel", "1", "9")[0] == 2
    assert store.run(1).status == "queued"


@pytest.mark.parametrize("output_format", ["table", "json", "csv", "markdown", "latex"])
def test_report_in_every_format(cli, store, tmp_path, output_format):
    for seed in range(3):
        add_done(store, 80.0 + seed, seed=seed)
        add_done(store, 90.0 + seed, seed=seed, init="kaiming_normal")
    status, out, err = cli("report", "--format", output_format)
    assert (status, err) == (0, "")
    assert "kaiming" in out
    assert cli("report", "--format", output_format, "--output", "report.txt")[:2] == (0, "")
    assert (tmp_path / "report.txt").read_text(encoding="utf-8") == out


def test_a_report_is_drawn_beside_its_table(cli, store, tmp_path):
    for seed in range(2):
        add_done(store, 80.0 + seed, seed=seed)
    status, out, err = cli("report", "--figure", "report.svg", "--why")
    assert (status, err) == (0, "drawn to report.svg\n")
    assert "participation ratio" in out
    assert "kaiming_uniform" in (tmp_path / "report.svg").read_text(encoding="utf-8")
    assert cli("report", "--figure", "report.gif")[0] == 2


def test_version_and_help(cli):
    assert cli("--version")[:2] == (0, "agopconsole 0.1.0\n")
    assert cli()[1] == cli("--help")[1]
