"""The worker in this process, the commands in processes of their own."""

import os
import signal
from pathlib import Path

import psutil
import pytest
from helpers.fake_engine import ENGINE
from helpers.processes import eventually, finish, start
from helpers.stored_runs import OWNER, add_done

from agopconsole.cli.entry import run
from agopconsole.queue import on_finish, requests
from agopconsole.queue.on_finish import FinishCommands, environment
from agopconsole.queue.worker import Worker
from agopconsole.spec import RunSpec
from agopconsole.store import Store


@pytest.fixture
def end(store):
    """Ends a run that came with a command; returns its id."""

    def end(command, status="done", error=None, **fields):
        [run_id] = requests.submit(store, [RunSpec.parse({"study": "s", **fields})], on_finish=command)
        store.claim(OWNER, only=[run_id])
        store.finish(run_id, status, error)
        return run_id

    return end


@pytest.fixture
def settled(store):
    """Runs the commands that are due until they are over; the warnings that came of it."""

    def settled(only=None):
        commands = FinishCommands(store)
        commands.start_due(only)
        eventually(lambda: commands.settle() or not commands.running)
        return commands.warnings

    return settled


def warnings(store, run_id):
    return [line.message for line in store.logs(run_id) if line.level == "warning"]


def test_a_command_knows_its_run(store, end, settled, tmp_path):
    run_id = end("env | grep ^AGOPCONSOLE_ > told.txt", "failed", "no data", seed=3)
    assert settled() == []
    told = (tmp_path / "told.txt").read_text()
    for line in (
        f"AGOPCONSOLE_RUN_ID={run_id}",
        "AGOPCONSOLE_STATUS=failed",
        "AGOPCONSOLE_STUDY=s",
        "AGOPCONSOLE_NAME=digits kaiming_uniform s3",
        "AGOPCONSOLE_BEST_VAL_ACCURACY=",
        "AGOPCONSOLE_ERROR=no data",
        f"AGOPCONSOLE_DB={store.path}",
    ):
        assert f"\n{line}\n" in f"\n{told}"


def test_numbers_are_told_in_full(store):
    done = store.run(add_done(store, 87.125, test_accuracy=86.5))
    told = environment(done, Path("runs.db"))
    assert (told["AGOPCONSOLE_BEST_VAL_ACCURACY"], told["AGOPCONSOLE_TEST_ACCURACY"]) == ("87.125", "86.5")


@pytest.mark.parametrize("status", ["done", "failed", "cancelled"])
def test_a_command_is_run_once_however_the_run_ends(store, end, settled, tmp_path, status):
    end("echo $AGOPCONSOLE_STATUS >> ran.txt", status)
    for _ in range(2):
        assert settled() == []
    assert (tmp_path / "ran.txt").read_text() == f"{status}\n"


def test_two_that_look_at_once_start_it_once(store, end, tmp_path):
    end("echo ran >> ran.txt")
    with Store(store.path) as other:
        takers = [FinishCommands(store), FinishCommands(other)]
        for taker in takers:
            taker.start_due()
        assert [taker.running for taker in takers] == [True, False]
        eventually(lambda: takers[0].settle() or not takers[0].running)
    assert (tmp_path / "ran.txt").read_text() == "ran\n"


def test_others_runs_are_left_alone(store, end, settled, tmp_path):
    first, second = end("touch first"), end("touch second")
    settled([second])
    assert [(tmp_path / name).exists() for name in ("first", "second")] == [False, True]
    settled([first])
    assert (tmp_path / "first").exists()


def test_a_command_that_fails_is_a_warning_and_its_words_are_kept(store, end, settled):
    run_id = end("echo no such channel >&2; exit 3")
    output = store.run_files(run_id) / "on_finish.txt"
    text = f"the command of --on-finish ended with status 3; it printed {output}"
    assert settled() == [f"{store.run(run_id).title}  {text}"]
    assert (store.run(run_id).status, warnings(store, run_id)) == ("done", [text])
    assert output.read_text() == "no such channel\n"


def test_a_command_that_cannot_be_started_is_a_warning(store, end, settled):
    run_id = end("true")
    store.files.touch()  # where its folder would be
    assert "cannot be started" in settled()[0]
    assert len(warnings(store, run_id)) == 1


def test_a_command_that_takes_too_long_is_ended_with_all_it_started(store, end, tmp_path, monkeypatch):
    monkeypatch.setattr(on_finish, "LIMIT_SECONDS", 0.0)
    run_id = end("sleep 100 & echo $! > pid.tmp; mv pid.tmp pid; wait")
    commands = FinishCommands(store)
    commands.start_due()
    pid = int(eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
    commands.settle()
    assert warnings(store, run_id) == ["the command of --on-finish took more than 0 s and was ended"]
    eventually(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def test_a_command_whose_run_is_removed_meanwhile_harms_nothing(store, end):
    commands = FinishCommands(store)
    run_id = end("exit 1")
    commands.start_due()
    store.remove([run_id])
    eventually(lambda: commands.settle() or not commands.running)
    assert len(commands.warnings) == 1


def test_a_worker_has_a_command_for_runs_that_came_without_one(store, queue_run, tmp_path):
    bare, own = queue_run(epochs=1), queue_run(epochs=1)
    store.set_on_finish([own], "echo own >> ran.txt")
    with Worker(store, tmp_path / "data", engine=ENGINE, on_finish="echo $AGOPCONSOLE_RUN_ID >> ran.txt") as worker:
        worker.run(drain=True)
    assert (tmp_path / "ran.txt").read_text() == f"{bare}\nown\n"


def test_the_command_of_a_run_whose_worker_died_is_left_to_the_next(store, queue_run, tmp_path):
    run_id = queue_run()
    store.claim(OWNER, on_finish="touch ran.txt")
    store.finish(run_id, "done")  # by its job, and then the worker dies
    with Worker(store, tmp_path / "data", engine=ENGINE) as worker:
        worker.run(drain=True)
    assert (tmp_path / "ran.txt").exists()
    assert store.run(run_id).on_finish_due == 0


def test_a_second_signal_ends_commands_too(store, end, tmp_path):
    run_id = end("touch began; sleep 100")

    def stop():
        if (tmp_path / "began").exists() and len(sent) < 2:
            sent.append(signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)

    sent = []
    with Worker(store, tmp_path / "data", engine=ENGINE) as worker:
        worker.run(drain=True, meanwhile=stop)
    assert warnings(store, run_id) == ["the command of --on-finish was ended with the worker"]


def test_a_run_that_is_interrupted_waits_for_its_command_and_says_what_went_wrong(tmp_path):
    options = ["--epochs", "1000", "--on-finish", "echo $AGOPCONSOLE_STATUS > ended; exit 9"]
    process = start(["run", *options], tmp_path)
    eventually((tmp_path / "runs.files/run-1/begun.txt").exists)
    process.send_signal(signal.SIGINT)
    code, _, err = finish(process)
    assert (code, (tmp_path / "ended").read_text()) == (130, "cancelled\n")
    assert "the command of --on-finish ended with status 9" in err


def test_a_study_gives_its_command_to_each_of_its_runs_but_not_to_sources(store, tmp_path):
    runs = 'inits = ["normal", "nfm"]\n[run]\nsource = "dataset:digits"\n'
    (tmp_path / "s.toml").write_text(runs)
    for command in ("first", "second"):  # the second time the runs are there already
        assert run(["study", "s.toml", "--queue", "--on-finish", command]) == 0
        assert {record.on_finish for record in store.runs() if not record.trains_source} == {command}
    assert [record.on_finish for record in store.runs() if record.trains_source] == [None]


def test_a_queued_run_brings_its_command(store):
    assert run(["run", "--queue", "--on-finish", "true"]) == 0
    assert store.run(1).on_finish == "true"
