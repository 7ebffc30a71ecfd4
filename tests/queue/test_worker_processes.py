"""Workers as the commands that people start, killed in all the ways that workers are killed."""

import os
import signal
from collections import Counter

import psutil
import pytest
from helpers.processes import call, eventually, finish, processes_in, start


def begun(store, run_id):
    return [int(line) for line in (store.run_files(run_id) / "begun.txt").read_text().split()]


@pytest.fixture
def working(store, queue_run, tmp_path):
    """A worker in the middle of a run."""

    def working(name="", epochs=20, **fields):
        run_id = queue_run(name, epochs=epochs, **fields)
        worker = start(["worker", "--drain"], tmp_path)
        eventually(lambda: (store.run_files(run_id) / "begun.txt").exists() and len(begun(store, run_id)) > 1)
        return worker, run_id

    return working


def test_two_workers_share_a_queue_and_run_nothing_twice(store, queue_run, tmp_path):
    ids = [queue_run(epochs=4, seed=seed) for seed in range(6)]
    workers = [start(["worker", "--drain"], tmp_path) for _ in range(2)]
    assert [finish(worker)[0] for worker in workers] == [0, 0]
    assert [(run.status, run.attempts) for run in store.runs()] == [("done", 1)] * 6
    assert [begun(store, run_id) for run_id in ids] == [[1, 2, 3, 4]] * 6
    assert not processes_in(tmp_path)


def test_a_killed_worker_leaves_no_orphan_and_the_next_one_goes_on(store, working, tmp_path):
    worker, run_id = working()
    worker.kill()
    finish(worker)
    eventually(lambda: not processes_in(tmp_path))
    assert store.run(run_id).status == "queued"
    assert call(["worker", "--drain"], tmp_path)[0] == 0
    run = store.run(run_id)
    assert (run.status, run.attempts) == ("done", 2)
    assert [epoch.epoch for epoch in store.history(run_id)] == list(range(1, 21))
    repeated = [epoch for epoch, times in Counter(begun(store, run_id)).items() if times > 1]
    assert len(repeated) <= 1  # the epoch in which it was killed


def test_a_worker_under_nohup_outlives_the_terminal(store, queue_run, tmp_path):
    run_id = queue_run(epochs=6)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what nohup does
    try:
        worker = start(["worker", "--drain"], tmp_path)
    finally:
        signal.signal(signal.SIGHUP, before)
    eventually((store.run_files(run_id) / "begun.txt").exists)
    worker.send_signal(signal.SIGHUP)
    assert finish(worker)[0] == 0
    assert store.run(run_id).status == "done"


def test_worker_and_job_killed_together_are_made_up_for(store, working, tmp_path):
    worker, run_id = working()
    job = store.run(run_id).pid
    worker.kill()
    os.kill(job, signal.SIGKILL)
    finish(worker)
    eventually(lambda: not psutil.pid_exists(job))
    assert store.run(run_id).status == "running"
    assert call(["worker", "--drain"], tmp_path)[0] == 0
    assert (store.run(run_id).status, store.run(run_id).attempts) == ("done", 2)
    assert store.logs(run_id)[1].message.startswith(f"its process (pid {job} on ")


def test_a_worker_that_is_asked_to_stop_puts_its_run_back(store, working, tmp_path):
    worker, run_id = working()
    worker.send_signal(signal.SIGTERM)
    code, out, err = finish(worker)
    assert (code, out) == (130, "")
    assert err.splitlines()[-1].startswith("interrupted")
    assert (store.run(run_id).status, store.run(run_id).deaths) == ("queued", 0)
    assert not processes_in(tmp_path)


def test_a_second_signal_ends_a_worker_whose_job_does_not_listen(store, queue_run, tmp_path):
    run_id = queue_run("deaf")
    worker = start(["worker", "--drain"], tmp_path)
    eventually(lambda: (store.run_files(run_id) / "begun.txt").exists())
    worker.send_signal(signal.SIGINT)
    with pytest.raises(AssertionError, match="did not come true"):
        eventually(lambda: worker.poll() is not None, seconds=1)
    worker.send_signal(signal.SIGINT)
    assert finish(worker, timeout=5)[0] == 130
    assert store.run(run_id).status == "queued"
    assert not processes_in(tmp_path)


def test_the_fork_server_ends_with_its_worker(store, working, tmp_path):
    worker, _ = working()
    servers = [process for process in processes_in(tmp_path) if "forkserver" in " ".join(process.cmdline())]
    assert servers
    worker.send_signal(signal.SIGTERM)
    finish(worker)
    assert not [server for server in servers if server.is_running() and server.status() != psutil.STATUS_ZOMBIE]


def test_cancel_from_another_process(store, working, tmp_path):
    worker, run_id = working(epochs=1000)
    code, _, err = call(["runs", "cancel", str(run_id)], tmp_path)
    assert (code, err) == (0, f"run #{run_id} stops\n")
    assert finish(worker)[0] == 0
    assert store.run(run_id).status == "cancelled"


def test_a_worker_waits_for_runs(store, queue_run, tmp_path):
    worker = start(["worker"], tmp_path)
    run_id = queue_run(epochs=1)
    eventually(lambda: store.run(run_id).status == "done")
    assert worker.poll() is None
    worker.send_signal(signal.SIGINT)
    code, _, err = finish(worker)
    assert code == 130
    assert f"#{run_id} kaiming_uniform s0  done: best val 50.00 % in epoch 1, test 50.00 %" in err.splitlines()
