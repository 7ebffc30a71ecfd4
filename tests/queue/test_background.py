import os
import signal
import sys

import psutil
import pytest
from helpers.processes import TESTS, eventually, processes_in

from agopconsole.queue import background
from agopconsole.queue.background import ensure_worker, only_worker, worker_log
from agopconsole.queue.identity import is_alive, process_owner
from agopconsole.store import Owner


@pytest.fixture
def alive():
    """The owner of a process that is not this one."""
    return process_owner(os.getppid())


def test_two_that_start_a_worker_at_once_get_one_that_outlives_them(store, queue_run, tmp_path, monkeypatch):
    monkeypatch.setattr(background, "PROGRAM", (sys.executable, "-m", "helpers.fake_cli"))
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    run_id = queue_run(epochs=1000)
    assert [ensure_worker(store, tmp_path / "data") for _ in range(2)] == [
        True,
        True,
    ]  # neither has said yet it is there
    eventually(lambda: "has a worker already" in worker_log(store.path).read_text(), seconds=30)
    eventually(lambda: store.run(run_id).epoch, seconds=30)
    (worker,) = store.workers()
    assert os.getsid(worker.owner.pid) == worker.owner.pid
    assert not ensure_worker(store, tmp_path / "data")
    os.kill(worker.owner.pid, signal.SIGTERM)
    eventually(lambda: not is_alive(worker.owner), seconds=30)
    assert (store.workers(), store.run(run_id).status) == ([], "queued")
    eventually(lambda: not [p for p in processes_in(tmp_path) if p.status() != psutil.STATUS_ZOMBIE])


def test_one_place_is_held_by_one(store):
    with only_worker(store) as first, only_worker(store) as second:
        assert (first, second) == (True, False)
    with only_worker(store) as again:
        assert again


def test_a_worker_without_the_place_counts_while_it_lives(store, alive):
    store.register_worker(Owner(alive.host, "an earlier boot", 1, 0.0), devices=["cpu"], slots=1)
    store.register_worker(process_owner(), devices=["cpu"], slots=1)
    with only_worker(store) as free:
        assert free
    store.register_worker(alive, devices=["cpu"], slots=1)
    with only_worker(store) as free:
        assert not free
    assert not ensure_worker(store, store.path.parent)


def test_a_store_that_may_not_be_written_to_gets_no_worker(store, monkeypatch):
    monkeypatch.setattr(background.os, "access", lambda *_: False)
    assert not ensure_worker(store, store.path.parent)
    assert not store.files.exists()
