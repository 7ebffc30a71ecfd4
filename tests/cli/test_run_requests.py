import json
import platform

import pytest
from helpers.stored_runs import add_done, add_failed

from agopconsole.spec import RunSpec
from agopconsole.store import Owner


def add_queued(store, count=1, **fields):
    return store.add_runs([RunSpec.parse({"seed": seed, **fields}) for seed in range(count)])


def statuses(store):
    return [run.status for run in store.runs()]


def test_runs_are_paused_and_resumed_by_ids_and_spans(cli, store):
    add_queued(store, 4)
    assert cli("runs", "pause", "1", "3-9") == (0, "", "paused: 3 runs\n")
    assert statuses(store) == ["paused", "queued", "paused", "paused"]
    assert cli("runs", "resume", "1-4")[0] == 0
    assert statuses(store) == ["queued"] * 4


def test_the_queue_is_paused_as_a_whole(cli, store):
    assert cli("runs", "pause", "--queue")[0] == 0
    assert store.queue_paused()
    assert cli("runs", "resume", "--queue") == (0, "", "the queue goes on\n")
    assert not store.queue_paused()


def test_what_failed_is_queued_again_from_its_checkpoint_or_from_scratch(cli, store):
    failed = add_failed(store, diverged=True)
    checkpoint = store.run_files(failed) / "state.pt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    assert cli("runs", "retry", failed)[0] == 0
    assert (statuses(store), len(store.history(failed)), checkpoint.exists()) == (["queued"], 1, True)
    cli("runs", "cancel", failed)
    assert cli("runs", "retry", failed, "--from-scratch")[0] == 0
    assert (statuses(store), len(store.history(failed)), checkpoint.exists()) == (["queued"], 0, False)


def test_a_run_goes_before_others(cli, store):
    add_queued(store, 2)
    assert cli("runs", "priority", "2", "5") == (0, "", "run #2 has priority 5\n")
    assert [run.priority for run in store.runs()] == [0, 5]


def test_runs_are_removed_with_their_files_once_one_says_yes(cli, store, monkeypatch):
    done = add_done(store, 50.0, study="s")
    store.run_files(done).mkdir(parents=True)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    assert cli("runs", "rm", done)[0] == 2
    assert store.run_files(done).exists()
    assert cli("runs", "rm", "--study", "s", "--yes")[0] == 0
    assert (store.runs(), store.run_files(done).exists()) == ([], False)


def test_runs_are_written_to_a_file(cli, store, tmp_path):
    add_done(store, 50.0)
    assert cli("runs", "export", "1", "--out", "runs.json")[0] == 0
    assert cli("runs", "export", "1", "--out", "runs.dat", "--format", "csv")[0] == 0
    assert (tmp_path / "runs.dat").read_text(encoding="utf-8").startswith("id,name,")
    (run,) = json.loads((tmp_path / "runs.json").read_text())
    assert (run["id"], run["spec"]["init"], run["history"][0]["val_accuracy"]) == (1, "kaiming_uniform", 50.0)


def test_runs_are_written_to_standard_output(cli, store, tmp_path):
    add_done(store, 50.0)
    status, out, err = cli("runs", "export", "1", "--out", "-", "--format", "json")
    assert (status, err) == (0, "")
    assert json.loads(out)[0]["history"][0]["val_accuracy"] == 50.0
    assert cli("runs", "export", "1", "--out", "-", "--format", "csv")[1].startswith("id,name,")
    assert cli("runs", "export", "1", "--out", "-", "--format", "markdown")[1].startswith("| id |")
    assert cli("report", "--output", "-") == cli("report")
    assert not (tmp_path / "-").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pause"], "which runs?"),
        (["pause", "x"], "'x' is no id"),
        (["pause", "7"], "there is no run #7"),
        (["pause", "5-9"], "which runs?"),
        (["pause", "--queue", "1"], "--queue is about all runs"),
        (["resume", "1"], "not paused"),
        (["retry", "1"], "not ended yet"),
        (["priority", "7", "1"], "there is no run #7"),
        (["rm", "7", "--yes"], "there is no run #7"),
        (["export", "1", "--out", "runs.xls"], "ends in none of"),
        (["export", "1", "--out", "/"], "'/' is a folder; name a file"),
        (["export", "1", "--out", ".", "--format", "csv"], "'.' is a folder; name a file"),
        (["export", "1", "--out", "nowhere/runs.csv"], "there is no folder nowhere"),
        (["export", "1", "--out", "-"], "name its --format: json, csv or markdown"),
        (["export", "1", "--out", "-", "--format", "tensorboard"], "name its --format: json, csv or markdown"),
        (["retry", "--study", "none"], "none"),
    ],
)
def test_a_wrong_request_is_one_line_and_changes_nothing(cli, store, arguments, message):
    add_queued(store)
    status, out, err = cli("runs", *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert statuses(store) == ["queued"]


def test_a_run_that_has_not_begun_is_edited(cli, store):
    add_queued(store)
    before = store.run(1)
    assert cli("runs", "edit", "1", "--lr", "0.5", "--init", "normal") == (
        0,
        "",
        "run #1 is changed: init normal, lr 0.5\n",
    )
    after = store.run(1)
    assert (after.lr, after.init, after.method, after.status) == (0.5, "normal", "normal", "queued")
    assert after.fingerprint != before.fingerprint


@pytest.mark.parametrize(
    ("arguments", "message"),
    [([], "nothing to change"), (["--lr", "-1"], "lr must be above 0"), (["--init", "x"], "unknown init 'x'")],
)
def test_a_wrong_edit_changes_nothing(cli, store, arguments, message):
    add_queued(store)
    before = store.run(1)
    status, _, err = cli("runs", "edit", "1", *arguments)
    assert (status, err.count("\n"), store.run(1)) == (2, 1, before)
    assert message in err


def test_a_run_that_has_begun_is_not_edited(cli, store):
    add_done(store, 50.0)
    status, _, err = cli("runs", "edit", "1", "--lr", "0.5")
    assert (status, "only a run that has not begun can be edited" in err) == (2, True)


def test_a_run_whose_process_is_gone_is_paused_at_once(cli, store):
    add_queued(store)
    store.claim(Owner(platform.node(), "an earlier boot", 1, 0.0))
    assert cli("runs", "pause", "1")[0] == 0
    assert statuses(store) == ["paused"]


def test_spans_of_runs_are_cancelled(cli, store):
    add_queued(store, 3)
    assert cli("runs", "cancel", "2-3")[0] == 0
    assert statuses(store) == ["queued", "cancelled", "cancelled"]


def test_the_log_is_followed_until_the_run_has_ended(cli, store, monkeypatch):
    add_queued(store)
    said = iter(["one", "two"])

    def sleep(_):
        store.log(1, "info", next(said, "three"))
        if len(store.logs(1)) == 2:
            store.finish(1, "failed", "x")

    monkeypatch.setattr("agopconsole.cli.runs.time.sleep", sleep)
    status, out, _ = cli("runs", "logs", "1", "-f")
    assert (status, [line.split()[-1] for line in out.splitlines()]) == (0, ["one", "two"])


def test_the_mirror_of_a_queued_run_is_kept_with_it(cli, store):
    assert cli("run", "--queue", "--mirror", "https://example.org/data")[0] == 0
    assert store.run(1).mirror == "https://example.org/data"
