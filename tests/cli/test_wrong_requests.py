"""What a user gets wrong: one line that says what would be right, exit status 2, and nothing in the queue."""

import sqlite3

import pytest

from agopconsole.store import Store

WRONG = {
    "run --init kaiming_ago": "unknown init 'kaiming_ago'; did you mean 'kaiming_agop'?",
    "run --dataset cifar": "did you mean 'cifar10'?",
    "run --model vgg": "choose from vgg11, vgg11_bn",
    "run --init nfm --source imagnet": "choose from imagenet, run:ID, dataset:NAME",
    "run --init nfm --source missing.pt": "'missing.pt': there is no such file",
    "run --init nfm --source missing.safetensors --queue": "there is no such file",
    "run --init nfm --source run:7": "there is no run #7",
    "run --init nfm --source dataset:digit": "did you mean 'digits'?",
    "run --dataset imagefolder:missing": "there is no folder missing",
    "run --epoch 3": "--epochs",
    "run --epochs": "requires an argument",
    "run --epochs 0": "epochs must be at least 1, not 0",
    "run --epochs three": 'epochs must be a whole number, not "three"',
    "run --epochs 1.5": "epochs must be a whole number",
    "run --epochs 99999999999999999999 --queue": "epochs must be no larger than",
    "run --layers conv9 --queue": "vgg11 has no conv9; choose from features.0",
    "run --name a\x1bb": "name must be one line of printable text",
    "run --lr nan": "lr must be a finite number",
    "run --lr 0": "lr must be above 0",
    "run --val-fraction 1": "val_fraction must be above 0 and below 1",
    "run --limit 1151 --queue": "limit 1151: digits has 1,150 images to train on",
    "run --val-fraction 0.0001": "leaves none to validate on",
    "run --classes 4-10": "digits has the classes 0 to 9",
    "run --device cuda:99": "there is no device 'cuda:99' here; choose from auto",
    "run --device gpu": "choose from auto, cpu, mps, cuda",
    "run --scale poster": "'kaiming_uniform' is a fixed recipe",
    "run --features nfm --init default": "fixed recipe",
    "run extra": "extra",
    "run --config missing.toml": "error: there is no file missing.toml",
    "run --config broken.toml": "error: broken.toml is not TOML",
    "run --config unknown.toml": "unknown.toml: unknown field 'epoch'; did you mean 'epochs'?",
    "run --config unknown.toml --lr 0": "unknown.toml, with the options given here: unknown field 'epoch'",
    "run --format xml": "invalid value for '--format': 'xml'; choose from table, json",
    "study missing.toml": "there is no file missing.toml",
    "study missing": "at hand are",
    "study broken.toml": "broken.toml is not TOML",
    "study wrong.toml": "wrong.toml: unknown init 'kaimin'",
    "study .": "cannot be read",
    "study": "missing argument 'FILE'",
    "runs": "choose from list, show, logs, cancel",
    "runs lst": "'list'",
    "runs list": "there is no store at runs.db",
    "runs show 1": "there is no store at runs.db",
    "report": "there is no store at runs.db",
    "worker --drain": "there is no store at runs.db",
    "worker --slots 0": "it must be at least 1, not 0",
    "worker --until-idle nan": "it must be at least 0, not nan",
    "worker --until-idle soon": "'soon' is no number",
    "worker --drain --until-idle 5": "give one of them",
    "train": "choose from run, study, tune, worker",
    "datasets fetch digit": "did you mean 'digits'?",
    "tui": "needs a terminal",
    "run --db missing/runs.db": "there is no folder missing",
    "run --init nfm --db": "requires an argument",
}


@pytest.mark.parametrize("command", WRONG)
def test_one_line_says_what_would_be_right(cli, tmp_path, command):
    (tmp_path / "broken.toml").write_text("epochs = 3\nlr = \n")
    (tmp_path / "unknown.toml").write_text("epoch = 3\n")
    (tmp_path / "wrong.toml").write_text('inits = ["kaimin"]\n')
    status, out, err = cli(*command.split())
    assert (status, out) == (2, "")
    assert err.startswith("agopconsole: error: ")
    assert err.count("\n") == 1
    assert WRONG[command] in err
    if (tmp_path / "runs.db").exists():
        with Store(tmp_path / "runs.db") as store:
            assert store.runs() == []


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("runs list --status don", "did you mean 'done'?"),
        ("runs list --study x", "unknown study 'x'"),
        ("runs show 7", "there is no run #7"),
        ("runs show x", "'x' is no whole number"),
        (f"runs show {10**30}", "there is no run #1000"),
        ("runs logs 7", "there is no run #7"),
        ("runs cancel 7", "there is no run #7"),
        ("runs cancel", "give their ids"),
        ("report --metric accuracy", "did you mean"),
        ("report --study x", "unknown study 'x'"),
        ("report --against paper", "choose from poster"),
        ("report --format xml", "latex"),
        ("report --output .", "--output '.' is a folder"),
        ("report --output nowhere/report.md", "there is no folder nowhere"),
        ("report --figure nowhere/report.svg", "there is no folder nowhere"),
        ("inspect --init nfm --source run:7", "there is no run #7"),
    ],
)
def test_questions_about_what_is_not_in_the_store(cli, tmp_path, command, words):
    Store(tmp_path / "runs.db", create=True).close()
    status, out, err = cli(*command.split())
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err


def test_a_variable_that_sets_a_flag_is_one_or_nothing(cli, store, monkeypatch):
    monkeypatch.setenv("AGOPCONSOLE_TUI_WORKER", "perhaps")
    status, _, err = cli("tui", "--once")
    assert status == 2
    assert "'perhaps' is neither 1 nor 0" in err


def test_a_study_with_one_wrong_run_queues_none(cli, tmp_path):
    (tmp_path / "s.toml").write_text('inits = ["kaiming_uniform", {init = "nfm", source = "run:7"}]\n')
    status, _, err = cli("study", "s.toml", "--queue")
    assert (status, err.splitlines()[-1]) == (
        2,
        "agopconsole: error: source 'run:7': there is no run #7, as there is no store yet",
    )
    assert not (tmp_path / "runs.db").exists()


def test_an_error_gives_the_terminal_no_orders(cli, tmp_path):
    (tmp_path / "s.toml").write_text('inits = ["normal"]\nbaseline = "\\u001b[2J\\u0007x"\n')
    status, _, err = cli("study", "s.toml")
    assert (status, err) == (
        2,
        "agopconsole: error: s.toml: baseline '\ufffd[2J\ufffdx' is none of the study's methods: normal\n",
    )


def test_a_damaged_store_is_named_and_left_alone(cli, tmp_path):
    (tmp_path / "runs.db").write_bytes(b"no database" * 500)
    for command in ("runs list", "report", "run", "worker"):
        status, _, err = cli(*command.split())
        assert (status, err.count("\n")) == (2, 1)
        assert "runs.db" in err
    assert (tmp_path / "runs.db").read_bytes() == b"no database" * 500


def test_a_store_of_a_newer_version_is_refused(cli, tmp_path):
    Store(tmp_path / "runs.db", create=True).close()
    with sqlite3.connect(tmp_path / "runs.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    status, _, err = cli("runs", "list")
    assert status == 2
    assert "newer agopconsole" in err


def test_what_cannot_be_written_fails_in_one_line(cli, tmp_path):
    Store(tmp_path / "runs.db", create=True).close()
    for command in ("run --queue --db /proc/runs.db", "report --output /proc/report.txt"):
        status, out, err = cli(*command.split())
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert "/proc/r" in err
