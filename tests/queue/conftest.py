import pytest

from agopconsole.queue.requests import submit
from agopconsole.spec import RunSpec
from agopconsole.store import Store


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Store(tmp_path / "runs.db", create=True) as store:
        yield store


@pytest.fixture
def queue_run(store):
    """Queues a run of the fake engine: its name says what it does."""

    def queue_run(name="", **fields):
        [run_id] = submit(store, [RunSpec.parse({"name": name, "epochs": 3, "lr": 0.005, **fields})])
        return run_id

    return queue_run
