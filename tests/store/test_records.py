import pytest
from helpers.stored_runs import add_done, add_failed

from agopconsole.spec import RunSpec


@pytest.fixture
def run(store):
    return store.run(add_done(store, 64.0, init="kaiming_normal", seed=1, at_chance=True))


def test_a_summary_has_what_runs_list_prints(run):
    found = run.summary()
    wanted = "id name study status init method dataset model source seed epoch epochs attempts loss_gap flags error"
    assert set(found) >= set(wanted.split())
    assert (found["best_val_accuracy"], found["flags"], found["status"]) == (64.0, ["at_chance"], "done")


def test_a_title_tells_a_run_from_its_repeats(run):
    assert run.title == f"#{run.id} kaiming_normal s1"


def test_a_source_that_was_trained_for_others_is_titled_as_one(store):
    store.add_runs([RunSpec.parse({"init": "nfm", "source": "dataset:digits:0-4"})])
    source, waiting = store.runs()
    assert (source.title, source.trains_source) == ("#1 source digits 0-4", True)
    assert (waiting.title, waiting.trains_source) == ("#2 nfm s0", False)


def test_a_run_has_an_owner_once_it_was_claimed(store, run):
    assert (run.owner.host, run.owner.pid) == ("here", 1)
    store.add_runs([run.request])
    assert store.runs(status="queued")[0].owner is None


def test_a_diverged_run_is_flagged(store):
    assert store.run(add_failed(store, diverged=True)).flags == ["diverged"]
