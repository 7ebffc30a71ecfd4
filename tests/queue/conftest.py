from multiprocessing import forkserver

import pytest

from agopconsole.queue import launch
from agopconsole.queue.requests import submit
from agopconsole.spec import RunSpec


@pytest.fixture(autouse=True)
def in_its_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def torch_servers():
    """The ids of the fork servers that have imported torch."""
    return set()


@pytest.fixture
def ready_engine(torch_servers):
    """A fork server that has imported torch: that of the fake engine has not, and each job that needs it would."""
    if forkserver._forkserver._forkserver_pid not in torch_servers:
        launch.end_server()
        launch.warm_up(launch.ENGINE)
        torch_servers.add(forkserver._forkserver._forkserver_pid)


@pytest.fixture
def queue_run(store):
    """Queues a run of the fake engine: its name says what it does."""

    def queue_run(name="", **fields):
        [run_id] = submit(store, [RunSpec.parse({"name": name, "epochs": 3, "lr": 0.005, **fields})])
        return run_id

    return queue_run
