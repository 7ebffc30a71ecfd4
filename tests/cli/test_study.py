"""`study` with the fake engine in the engine's place."""

import json
import signal

import pytest
from helpers.processes import call, eventually, finish, processes_in, start

from agopconsole.cli.study import find_study
from agopconsole.store import Store

STUDY = """
name = "tiny"
inits = ["kaiming_uniform", "kaiming_nfm"]
seeds = 2
[run]
source = "dataset:digits:0-4"
source_epochs = 1
epochs = 2
lr = 0.005
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "tiny.toml").write_text(STUDY)
    return tmp_path


def runs(folder):
    with Store(folder / "runs.db") as store:
        return store.runs()


def test_a_study_trains_its_source_once_and_prints_its_report(folder):
    code, out, err = call(["study", "tiny.toml"], folder)
    assert code == 0
    assert err.splitlines()[0] == "study tiny: 4 runs, 0 of them done or on their way already"
    assert (
        sorted(run.method for run in runs(folder))
        == ["kaiming_nfm"] * 2 + ["kaiming_normal"] + ["kaiming_uniform"] * 2
    )
    assert "study tiny" in out
    told = [line for line in err.splitlines() if line.startswith("progress: ")]
    assert len(told) == 5  # a run each, that of the source included
    assert told[0].endswith(" left")
    assert told[-1] == "progress: 100%  epoch 9/9  5/5 runs"
    assert all(method in out for method in ("kaiming_uniform", "kaiming_nfm"))


def test_what_is_done_is_skipped(folder):
    call(["study", "tiny.toml"], folder)
    before = runs(folder)
    code, out, err = call(["study", "tiny.toml", "--format", "json"], folder)
    assert (code, err) == (0, "study tiny: 4 runs, 4 of them done or on their way already\n")
    assert runs(folder) == before
    rows = json.loads(out)["rows"]
    assert {row["init"]: row["n"] for row in rows} == {"kaiming_uniform": 2, "kaiming_nfm": 2}


def test_a_queued_study_is_worked_through_by_the_same_command(folder):
    code, out, _ = call(["study", "tiny.toml", "--queue"], folder)
    assert (code, out.split()) == (0, ["1", "3", "4", "5"])
    assert {run.status for run in runs(folder)} == {"queued", "waiting"}
    assert json.loads(call(["study", "tiny.toml", "--queue", "--format", "json"], folder)[1]) == {
        "study": "tiny",
        "ids": [],
    }
    assert call(["study", "tiny.toml"], folder)[0] == 0
    assert {run.status for run in runs(folder)} == {"done"}


def test_an_interrupted_study_goes_on_where_it_stopped(folder):
    process = start(["study", "tiny.toml"], folder)
    eventually(lambda: (folder / "runs.db").exists() and any(run.status == "done" for run in runs(folder)))
    process.send_signal(signal.SIGINT)
    code, _, err = finish(process)
    assert code == 130
    assert "the same command goes on with them" in err
    assert {run.status for run in runs(folder)} <= {"done", "queued", "waiting"}
    assert not processes_in(folder)
    assert call(["study", "tiny.toml"], folder)[0] == 0
    assert [run.status for run in runs(folder)] == ["done"] * 5


def test_that_a_method_diverges_is_a_result(folder):
    (folder / "bad.toml").write_text('inits = ["normal"]\nseeds = 1\n[run]\nname = "diverge"\nlr = 0.005\n')
    assert call(["study", "bad.toml"], folder)[0] == 0
    assert "1 of them done or on their way" in call(["study", "bad.toml"], folder)[2]


def test_that_a_run_fails_is_not(folder):
    (folder / "bad.toml").write_text('inits = ["normal"]\nseeds = 1\n[run]\nname = "fail"\nlr = 0.005\n')
    assert call(["study", "bad.toml"], folder)[0] == 1


def test_a_study_whose_file_is_gone_goes_on_and_is_compared_as_it_said(folder):
    (folder / "tiny.toml").write_text(f'baseline = "kaiming_nfm"{STUDY}')
    assert call(["study", "tiny.toml", "--queue"], folder)[0] == 0
    (folder / "tiny.toml").unlink()
    assert json.loads(call(["report", "--format", "json"], folder)[1])["baseline"] == "kaiming_nfm"
    code, out, err = call(["study", "tiny", "--queue"], folder)
    assert (code, out, err) == (0, "", "study tiny: 4 runs, 4 of them done or on their way already\n")
    code, _, err = call(["study", "other", "--queue"], folder)
    assert (code, err.partition(";")[0]) == (
        2,
        "agopconsole: error: there is no file other, and no study of that name",
    )


def test_a_bare_name_is_looked_up(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert find_study("quickstart").name == "quickstart.toml"
    (folder / "configs").mkdir()
    (folder / "configs" / "quickstart.toml").touch()
    assert find_study("quickstart").read_text() == ""
