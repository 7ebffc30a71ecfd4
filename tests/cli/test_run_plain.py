"""`run` without a terminal, with the fake engine in the engine's place."""

import json
import re
import subprocess
import sys

import pytest
from helpers.processes import TESTS, call, eventually, finish, processes_in, start

from agopconsole.store import Store

FAST = ["--epochs", "2", "--lr", "0.005"]


@pytest.fixture
def only_run(tmp_path):
    """The one run in the store."""

    def only_run():
        with Store(tmp_path / "runs.db") as store:
            [run] = store.runs()
            return run

    return only_run


def test_a_line_an_epoch_and_a_table_at_the_end(tmp_path):
    code, out, err = call(["run", "--init", "kaiming_normal", *FAST], tmp_path)
    assert code == 0
    assert err.splitlines() == [
        "#1 kaiming_normal s0  started",
        "#1 kaiming_normal s0  getting ready",
        "#1 kaiming_normal s0  epoch 1/2  train 2.00 50.0 %  val 2.10 50.0 %  gap +0.10  276 images/s",
        "#1 kaiming_normal s0  epoch 2/2  train 1.00 66.7 %  val 1.10 66.7 %  gap +0.10  276 images/s",
        "#1 kaiming_normal s0  done: best val 66.67 % in epoch 2, test 50.00 %",
    ]
    assert re.search(r"1\s+done\s+kaiming_normal\s+digits\s+vgg11\s+0\s+2/2\s+66\.67\s+0\.100", out)
    assert "\x1b" not in out + err
    assert not processes_in(tmp_path)


def test_json_has_standard_output_to_itself(tmp_path):
    code, out, _ = call(["run", "--format", "json", *FAST], tmp_path)
    answer = json.loads(out)
    assert code == 0
    assert (answer["id"], answer["status"], answer["epoch"]) == (1, "done", 2)


@pytest.mark.parametrize(
    ("name", "words"), [("fail", "the data set is not there"), ("diverge", "diverged in epoch 2")]
)
def test_a_run_that_fails_exits_with_1_and_says_why(tmp_path, name, words):
    code, out, err = call(["run", "--name", name, *FAST], tmp_path)
    assert code == 1
    assert words in err.splitlines()[-1]
    assert "failed" in out


def test_a_traceback_stays_in_the_log(tmp_path):
    code, out, err = call(["run", "--name", "break", *FAST], tmp_path)
    assert code == 1
    assert "Traceback" not in out + err
    assert "Traceback" in call(["runs", "logs", "1"], tmp_path)[1]


def test_queue_prints_the_id_and_starts_nothing(tmp_path, only_run):
    assert call(["run", "--queue", *FAST], tmp_path) == (0, "1\n", "")
    assert only_run().status == "queued"


def test_queue_in_json(tmp_path):
    assert json.loads(call(["run", "--queue", "--format", "json"], tmp_path)[1]) == {"id": 1}


def test_options_override_the_file(tmp_path, only_run):
    (tmp_path / "run.toml").write_text('init = "nfm"\nsource = "dataset:digits"\nepochs = 7\n')
    call(["run", "--config", "run.toml", "--init", "normal", "--queue"], tmp_path)
    assert (only_run().init, only_run().epochs) == ("normal", 7)


def test_a_checkpoint_beside_the_store_is_kept_by_its_name(tmp_path, only_run):
    (tmp_path / "weights.pt").touch()
    call(["run", "--init", "nfm", "--source", str(tmp_path / "weights.pt"), "--queue"], tmp_path)
    assert only_run().source == "weights.pt"


def test_the_store_may_be_named_after_the_command_and_by_the_environment(tmp_path):
    assert call(["run", "--queue", "--db", "a.db"], tmp_path)[0] == 0
    assert call(["run", "--queue"], tmp_path, AGOPCONSOLE_DB="b.db")[0] == 0
    assert (tmp_path / "a.db").exists()
    assert (tmp_path / "b.db").exists()
    assert not (tmp_path / "runs.db").exists()


def test_a_run_that_another_worker_has_claimed_is_watched(tmp_path, only_run):
    worker = start(["worker"], tmp_path)
    eventually(lambda: (tmp_path / "runs.db").exists())
    code, _, err = call(["run", "--epochs", "5", "--lr", "0.02"], tmp_path)
    assert (code, only_run().attempts) == (0, 1)
    assert "epoch 5/5" in err
    worker.terminate()
    assert finish(worker)[0] == 130


def test_a_reader_that_leaves_ends_the_run_in_silence(tmp_path, only_run):
    command = f"{sys.executable} -m helpers.fake_cli run --epochs 500 --lr 0.01 2>&1 | head -n 2"
    done = subprocess.run(
        command, shell=True, cwd=tmp_path, env={"PYTHONPATH": str(TESTS)}, capture_output=True, text=True, timeout=30
    )
    assert done.stdout.splitlines() == ["#1 kaiming_uniform s0  started", "#1 kaiming_uniform s0  getting ready"]
    assert done.stderr == ""
    eventually(lambda: not processes_in(tmp_path))
    assert only_run().status == "queued"


def test_a_reader_that_leaves_a_list_early_ends_it_in_silence(tmp_path):
    call(["run", "--queue"], tmp_path)
    command = f"{sys.executable} -m agopconsole runs show 1 --format json | true"
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert done.stderr == ""


def test_an_ascii_pipe_gets_ascii(tmp_path):
    _, out, err = call(["run", *FAST], tmp_path, PYTHONIOENCODING="ascii")
    assert (out + err).isascii()
