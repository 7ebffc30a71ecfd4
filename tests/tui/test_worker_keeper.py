import pytest
from helpers.stored_runs import OWNER

from agopconsole.spec import RunSpec
from agopconsole.store import WorkerRecord
from agopconsole.tui import worker_keeper
from agopconsole.tui.snapshot import Snapshot
from agopconsole.tui.worker_keeper import WorkerKeeper

WORKER = WorkerRecord(1, OWNER, "2026", "2026", ("cpu",), 1)


class Errands:
    """Does at once what the errands' thread would do."""

    def do(self, work, then):
        then(work("the store"))


@pytest.fixture
def queued(store):
    """A snapshot with a run in the queue."""
    (run_id,) = store.add_runs([RunSpec.parse({})])

    def queued(*, alive=(), paused=False):
        return Snapshot({run_id: store.run(run_id)}, workers=tuple((WORKER, a) for a in alive), queue_paused=paused)

    return queued


@pytest.fixture
def keep(monkeypatch):
    """A keeper that need not wait, the stores it started a worker for, and what it said."""
    monkeypatch.setattr(worker_keeper, "_PAUSE_SECONDS", 0.0)
    started, said = [], []

    def start(store):
        started.append(store)
        return True

    return WorkerKeeper(Errands(), start, lambda text, is_error: said.append((text, is_error))), started, said


def test_a_worker_is_started_as_the_console_opens(keep):
    keeper, started, said = keep
    keeper.begin()
    assert started == ["the store"]
    assert said == [("a worker was started; it goes on when the console is closed", False)]


def test_it_is_started_again_when_runs_want_it(keep, queued):
    keeper, started, _ = keep
    for snapshot in (None, Snapshot(), queued(alive=[True]), queued(alive=[False, True]), queued(paused=True)):
        keeper.mind(snapshot)
    assert started == []
    keeper.mind(queued(alive=[False]))
    assert len(started) == 1


def test_it_is_given_up_with_a_word_if_none_stays(keep, queued):
    keeper, started, said = keep
    for _ in range(10):
        keeper.mind(queued())
    assert len(started) == 3
    assert [text for text, is_error in said if is_error] == [
        "no worker stays alive; worker.log in the store's folder of files says why"
    ]


def test_one_that_is_given_time_is_not_started_twice(keep, queued, monkeypatch):
    keeper, started, _ = keep
    monkeypatch.setattr(worker_keeper, "_PAUSE_SECONDS", 1000.0)
    keeper.begin()
    keeper.mind(queued())
    assert len(started) == 1


def test_a_console_that_is_told_not_to_starts_none(queued):
    keeper = WorkerKeeper(Errands(), None, pytest.fail)
    keeper.begin()
    keeper.mind(queued())
