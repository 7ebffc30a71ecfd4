"""The worker in this process, its jobs in processes of their own, with the fake engine in the engine's place."""

import json
import math
import os
import signal
import sqlite3
from contextlib import closing
from multiprocessing import forkserver

import pytest
from helpers.fake_engine import ENGINE
from helpers.processes import eventually

from agopconsole.errors import NoRoomError, WorkError
from agopconsole.queue import requests
from agopconsole.queue import worker as worker_module
from agopconsole.queue.devices import ANY, CPU, Device, Gpu
from agopconsole.queue.identity import process_owner
from agopconsole.queue.slots import Slots
from agopconsole.queue.worker import Worker
from agopconsole.store import Owner
from agopconsole.store.connection import VERSION


@pytest.fixture
def drain(store, tmp_path):
    def drain(**options):
        with Worker(store, tmp_path / "data", engine=ENGINE) as worker:
            worker.run(drain=True, **options)
            return worker

    return drain


def begun(store, run_id):
    """The epochs that were begun, over all attempts."""
    return [int(line) for line in (store.run_files(run_id) / "begun.txt").read_text().split()]


def messages(store, run_id):
    return [line.message for line in store.logs(run_id)]


def test_all_that_a_run_says_is_kept(store, queue_run, drain):
    run_id = queue_run()
    drain()
    run = store.run(run_id)
    assert (run.status, run.error, run.attempts, run.epoch) == ("done", None, 1, 3)
    assert (run.best_epoch, run.best_val_accuracy, run.test_accuracy) == (3, 75.0, 50.0)
    assert run.loss_gap == pytest.approx(0.1)
    assert (run.device, run.data_origin, run.provenance()["agopconsole"]) == ("cpu", "made up", "test")
    assert [epoch.epoch for epoch in store.history(run_id)] == [1, 2, 3]
    assert [step.step for step in store.steps(run_id)] == list(range(1, 16))
    assert math.isnan(store.start(run_id)[0].gradient_ratio)
    assert messages(store, run_id) == ["getting ready"]
    assert run.pid != os.getpid()


@pytest.mark.parametrize(
    ("name", "error", "diverged"),
    [
        ("diverge", "diverged in epoch 2, step 1: the training loss is nan", 1),
        ("fail", "the data set is not there", 0),
        ("break", "ValueError: a bug", 0),
        ("exit", "its process ended with status 3: the last words of a library", 0),
        ("die", "its process was killed by SIGKILL, 5 times in epoch 1", 0),
        ("die in the third epoch", "its process was killed by SIGKILL, 5 times in epoch 3", 0),
    ],
)
def test_a_run_that_comes_to_nothing_says_why_and_the_queue_goes_on(store, queue_run, drain, name, error, diverged):
    bad, good = queue_run(name), queue_run(epochs=1)
    drain()
    run = store.run(bad)
    assert (run.status, run.error, run.diverged) == ("failed", error, diverged)
    assert store.run(good).status == "done"


def test_the_traceback_of_a_bug_is_in_the_log(store, queue_run, drain):
    run_id = queue_run("break")
    drain()
    assert messages(store, run_id)[-1].endswith("ValueError: a bug\nin two lines")


def test_a_job_that_dies_is_taken_up_from_its_last_epoch(store, queue_run, drain):
    run_id = queue_run("die once")
    drain()
    run = store.run(run_id)
    assert (run.status, run.attempts, run.deaths) == ("done", 2, 0)
    assert begun(store, run_id) == [1, 2, 2, 3]
    assert "its process was killed by SIGKILL" in messages(store, run_id)


def test_workers_that_die_before_a_run_has_begun_are_not_held_against_it(store, queue_run, drain):
    run_id = queue_run()
    for _ in range(5):
        store.claim(Owner(process_owner().host, "an earlier boot", 1, 0.0))
        with Worker(store, store.path.parent / "data", engine=ENGINE, slots=Slots([], 1)) as worker:
            worker.step()
        assert (store.run(run_id).status, store.run(run_id).deaths) == ("queued", 0)
    drain()
    assert store.run(run_id).status == "done"


def test_a_run_waits_for_its_source_and_starts_from_it(store, queue_run, drain):
    run_id = queue_run(init="nfm", source="dataset:digits", source_epochs=1)
    source = store.run(run_id).source_run
    assert store.run(run_id).status == "waiting"
    drain()
    assert store.run(source).ended_at <= store.run(run_id).started_at
    assert f"started from {store.run_files(source) / 'best.safetensors'}" in messages(store, run_id)


def test_a_run_whose_source_fails_says_so(store, queue_run, drain):
    source = queue_run("fail")
    run_id = queue_run(init="nfm", source=f"run:{source}")
    drain()
    assert store.run(run_id).status == "failed"
    assert store.run(run_id).error == f"its source, run #{source}, failed: the data set is not there"


def test_what_the_engine_refuses_is_told_apart_from_what_fails(store, queue_run, drain):
    source, failing = queue_run("refuse"), queue_run("fail")
    waiting = queue_run(init="nfm", source=f"run:{source}")
    drain()
    assert store.run(source).error == "refused: layer 'features.0' fits no source"
    assert [store.run(run_id).refused for run_id in (source, waiting, failing)] == [True, True, False]


def test_only_the_chosen_runs_are_touched(store, queue_run, drain):
    left, chosen = queue_run(), queue_run()
    drain(only={chosen})
    assert (store.run(left).status, store.run(chosen).status) == ("queued", "done")


def test_a_cancelled_run_stops_at_its_next_step(store, queue_run, drain):
    run_id = queue_run(epochs=1000)

    def cancel():
        if store.run(run_id).epoch >= 1 and not cancelled:
            cancelled.append(run_id)
            requests.cancel(store, run_id)

    cancelled = []
    drain(meanwhile=cancel)
    run = store.run(run_id)
    assert run.status == "cancelled"
    assert 1 <= run.epoch < 1000
    assert messages(store, run_id)[-1].startswith(f"stopped in epoch {run.epoch + 1}, step")


def test_a_job_that_does_not_listen_is_killed(store, queue_run, drain, monkeypatch):
    monkeypatch.setattr(worker_module, "GRACE_SECONDS", 0.3)
    run_id = queue_run("deaf")

    def cancel():
        if (store.run_files(run_id) / "begun.txt").exists() and store.run(run_id).status == "running":
            requests.cancel(store, run_id)

    drain(meanwhile=cancel)
    assert store.run(run_id).status == "cancelled"


def test_a_job_outlives_its_fork_server(store, queue_run, drain):
    run_id = queue_run(epochs=10, lr=0.02)

    def kill_server():
        if store.run(run_id).epoch >= 1 and not killed:
            killed.append(forkserver._forkserver._forkserver_pid)
            os.kill(killed[0], signal.SIGKILL)

    killed = []
    drain(meanwhile=kill_server)
    assert killed
    run = store.run(run_id)
    assert (run.status, run.attempts, begun(store, run_id)) == ("done", 1, list(range(1, 11)))
    again = queue_run()
    drain()
    assert store.run(again).status == "done"


def test_a_stopped_worker_puts_its_run_back(store, queue_run, drain):
    run_id, next_id = queue_run(epochs=1000), queue_run()

    def stop():
        if store.run(run_id).epoch >= 1 and not sent:
            sent.append(signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)

    sent = []
    worker = drain(meanwhile=stop)
    assert worker.signals == sent
    assert (store.run(run_id).status, store.run(next_id).status) == ("queued", "queued")
    assert (store.run(run_id).attempts, store.run(run_id).deaths) == (1, 0)


def test_an_error_meanwhile_leaves_no_job_behind(store, queue_run, drain):
    run_id = queue_run(epochs=1000)

    def fail():
        if store.run(run_id).epoch >= 1:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        drain(meanwhile=fail)
    assert store.run(run_id).status == "queued"


def test_a_run_that_memory_does_not_hold_is_tried_once_in_halves(store, queue_run, drain):
    run_id = queue_run("no memory for a whole batch", batch_size=33, epochs=1)
    drain()
    run = store.run(run_id)
    assert (run.status, run.attempts, run.micro_batch, run.deaths) == ("done", 2, 17, 0)
    assert messages(store, run_id)[1] == (
        "the device's memory is too small: CUDA out of memory; to be tried again with 17 images at once"
    )


def test_a_run_that_memory_does_not_hold_in_halves_either_fails(store, queue_run, drain):
    bad, single, good = queue_run("no memory"), queue_run("no memory", batch_size=1), queue_run(epochs=1)
    drain()
    assert [(store.run(i).status, store.run(i).attempts) for i in (bad, single)] == [("failed", 2), ("failed", 1)]
    half = store.run(bad).batch_size // 2
    reason = "the device's memory is too small: CUDA out of memory"
    assert store.run(bad).error == f"{reason}; {half} images at once are too many"
    assert store.run(single).error == f"{reason}; 1 image at once is too many"
    assert store.run(good).status == "done"


@pytest.mark.parametrize("name", ["full disk", "full store"])
def test_a_full_disk_ends_the_worker_and_the_next_one_goes_on(store, queue_run, drain, name):
    run_id = queue_run(name)
    with pytest.raises(NoRoomError, match=rf"the disk is full; run #{run_id} goes on from its last checkpoint"):
        drain()
    assert (store.run(run_id).status, store.run(run_id).deaths) == ("queued", 0)
    drain()
    assert (store.run(run_id).status, begun(store, run_id)) == ("done", [1, 2, 2, 3])


def test_a_store_that_a_newer_version_migrated_ends_the_worker_and_fails_no_run(store, queue_run, tmp_path):
    ids = [queue_run(epochs=1000), queue_run()]
    with Worker(store, tmp_path / "data", engine=ENGINE) as worker:
        worker.step()  # starts a job, which finds the store open to it or not, as it happens
        store._connection.execute(f"PRAGMA user_version = {VERSION + 1}")
        with pytest.raises(WorkError, match=r"a newer agopconsole has migrated the store .*runs\.db"):
            worker.run(drain=True)
    assert [(store.run(i).status, store.run(i).attempts, store.run(i).deaths) for i in ids] == [
        ("queued", 1, 0),
        ("queued", 0, 0),
    ]


def test_a_job_that_a_migrated_store_turns_away_fails_no_run(store, queue_run, tmp_path):
    run_id = queue_run("exit")  # as it does without a store: with an error of its own
    with Worker(store, tmp_path / "data", engine=ENGINE) as worker:
        worker.step()
        eventually(lambda: all(job.ended for job in worker._jobs.values()))
        store._connection.execute(f"PRAGMA user_version = {VERSION + 1}")
        with pytest.raises(WorkError, match="newer"):
            worker.step()
    assert (store.run(run_id).status, store.run(run_id).deaths) == ("queued", 0)


def bound(store, run_id):
    return json.loads((store.run_files(run_id) / "bound.json").read_text())


def test_a_job_sees_no_gpu_but_its_own(store, queue_run, tmp_path):
    gpus = [Gpu(0, "GPU-aaaa", 100, 100), Gpu(1, "GPU-bbbb", 100, 100)]
    slots = Slots([Device("cuda:0", "GPU-aaaa"), Device("cuda:1", "GPU-bbbb"), CPU], 1, gpus=lambda: gpus)
    second, first, cpu, elsewhere = (
        queue_run(device=device, epochs=1) for device in ("cuda:1", "auto", "cpu", "cuda:7")
    )
    with Worker(store, tmp_path / "data", engine=ENGINE, slots=slots) as worker:
        worker.run(drain=True)
    for run_id, uuid, inside in ((second, "GPU-bbbb", "cuda:0"), (first, "GPU-aaaa", "cuda:0"), (cpu, "", "cpu")):
        assert bound(store, run_id) == {
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
            "CUDA_VISIBLE_DEVICES": uuid,
            "device": inside,
        }
    assert [store.run(i).device for i in (second, first)] == ["cuda:1", "cuda:0"]
    assert store.run(elsewhere).status == "queued"


def test_runs_share_a_device_up_to_its_slots(store, queue_run, tmp_path, ready_engine):
    ids = [queue_run(epochs=4, lr=0.02) for _ in range(4)]
    most = 0

    def count():
        nonlocal most
        most = max(most, len(store.running()))

    with Worker(store, tmp_path / "data", engine=ENGINE, slots=Slots([ANY], 2)) as worker:
        worker.run(drain=True, meanwhile=count)
    assert most == 2
    assert [store.run(i).status for i in ids] == ["done"] * 4


def test_a_worker_that_waits_a_while_takes_what_comes_late(store, queue_run, tmp_path):
    ids = [queue_run(epochs=1)]

    def add():
        if len(ids) == 1 and store.run(ids[0]).status == "done":
            ids.append(queue_run(epochs=1))

    with Worker(store, tmp_path / "data", engine=ENGINE) as worker:
        worker.run(drain=True, patience=0.5, meanwhile=add)
    assert [store.run(i).status for i in ids] == ["done", "done"]


def test_an_idle_worker_takes_no_lock(store, tmp_path):
    with Worker(store, tmp_path / "data", engine=ENGINE) as worker, closing(sqlite3.connect(store.path)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        worker.step()  # else it would wait for the writer, and give up
        assert writer.in_transaction


def test_a_worker_is_on_the_list_while_it_works_and_takes_the_dead_off(store, tmp_path):
    gone = store.register_worker(Owner(process_owner().host, "an earlier boot", 1, 0.0), devices=["cpu"], slots=1)
    assert [worker.id for worker in store.workers()] == [gone]
    with Worker(store, tmp_path / "data", engine=ENGINE, slots=Slots([CPU], 2)) as worker:
        worker.step()
        (listed,) = store.workers()
        assert (listed.owner, listed.devices, listed.slots) == (process_owner(), ("cpu",), 2)
    assert store.workers() == []
