import pytest

from agopconsole.queue.requests import submit
from agopconsole.spec import RunSpec


@pytest.fixture(autouse=True)
def in_its_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def queue_run(store):
    """Queues a run of the fake engine: its name says what it does."""

    def queue_run(name="", **fields):
        [run_id] = submit(store, [RunSpec.parse({"name": name, "epochs": 3, "lr": 0.005, **fields})])
        return run_id

    return queue_run
