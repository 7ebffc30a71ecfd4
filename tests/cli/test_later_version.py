"""A store with a run that a later version asked for: it is shown like any other, and trained by none of this one."""

import json

import pytest
from helpers.stored_runs import add_done, make_start, of_later_version

from agopconsole.spec import RunSpec

STUDY = 'name = "mixed"\ninits = ["kaiming_uniform", "kaiming_normal"]\nseeds = 3\n'


@pytest.fixture
def later(store):
    """The id of a run that is done, of a later version, beside two of this one."""
    for seed in range(2):
        add_done(store, 80.0 + seed, seed=seed, study="mixed")
    run_id = add_done(store, 90.0, study="mixed", start=make_start())
    store.record_setup(run_id, device="cpu", data_origin="made up", environment={})
    return of_later_version(store, run_id)


def test_it_is_shown_with_all_that_was_asked_for(cli, later):
    status, out, err = cli("runs", "show", later)
    assert (status, err) == (0, "")
    assert "model=resnet99" in out
    assert "label_smoothing=0.1" in out
    assert "features.18" in out
    shown = json.loads(cli("runs", "show", later, "--format", "json")[1])
    assert (shown["spec"]["model"], shown["spec"]["label_smoothing"]) == ("resnet99", 0.1)


@pytest.mark.parametrize(
    "command",
    [
        "runs list",
        "runs list --format json",
        "runs logs {id}",
        "report",
        "report --why --against poster",
        "report --study mixed --format json",
        "report --figure report.svg",
        "runs export {id} --out -  --format json",
        "runs export {id} --out -  --format csv",
        "runs export {id} --out events --format tensorboard",
        "study mixed.toml --dry-run",
        "doctor",
        "tui --once",
    ],
)
def test_it_keeps_no_command_from_its_work(cli, later, tmp_path, command):
    (tmp_path / "mixed.toml").write_text(STUDY)
    status, out, err = cli(*command.format(id=later).split())
    assert (status, "Traceback" in err) == (0, False)
    if command.startswith(("runs list", "report", "runs export 3 --out - ", "tui")):
        assert "magic" in out


def test_a_report_compares_it_with_none_of_another_network(cli, later):
    rows = json.loads(cli("report", "--format", "json")[1])["rows"]
    assert [(row["init"], row["n"], row["delta"]) for row in rows] == [
        ("kaiming_uniform", 2, None),
        ("magic", 1, None),
    ]


@pytest.mark.parametrize("command", ["runs retry {id}", "runs verify {id}"])
def test_what_would_have_to_train_it_says_in_one_line_what_is_not_known(cli, store, later, command):
    status, _, err = cli(*command.format(id=later).split())
    assert (status, err.count("\n")) == (2, 1)
    assert "unknown field 'label_smoothing'" in err
    assert len(store.runs()) == 3


def test_a_worker_fails_it_with_its_reason(cli, store):
    [later] = store.add_runs([RunSpec()])
    of_later_version(store, later)
    assert cli("worker", "--drain")[0] == 0
    run = store.run(later)
    assert (run.status, run.error.partition("; ")[0]) == (
        "failed",
        "refused: this version cannot train it: unknown field 'label_smoothing'",
    )
