import dataclasses

import pytest
from helpers.stored_runs import OWNER, add_done, add_failed, make_epoch

from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec
from agopconsole.store import Store


def test_a_run_is_found_by_its_fingerprint(store):
    spec = RunSpec.parse({"init": "normal", "study": "one"})
    assert store.find_run(spec.fingerprint) is None
    add_failed(store, diverged=False, init="normal", study="one")
    assert store.find_run(spec.fingerprint) is None
    done = add_done(store, 50.0, init="normal", study="one")
    (queued,) = store.add_runs([dataclasses.replace(spec, study="two")])
    assert store.find_run(spec.fingerprint).id == done
    assert store.find_run(spec.fingerprint, study="two").id == queued
    assert store.find_run(spec.fingerprint, study="three") is None


def test_a_diverged_run_is_found_only_when_asked_for(store):
    diverged = add_failed(store, diverged=True, init="normal")
    fingerprint = store.run(diverged).fingerprint
    assert store.find_run(fingerprint) is None
    assert store.find_run(fingerprint, diverged=True).id == diverged


def test_runs_can_be_filtered(store):
    add_done(store, 50.0, study="a")
    (queued,) = store.add_runs([RunSpec.parse({"study": "b", "seed": 1})])
    assert [run.id for run in store.runs(study="b")] == [queued]
    assert [run.study for run in store.runs(status="done")] == ["a"]
    assert [run.id for run in store.runs(ids=[queued])] == [queued]
    assert store.runs(ids=[]) == []
    assert [run.study for run in store.runs()] == ["a", "b"]


def test_studies_come_in_the_order_they_were_touched(store):
    for study in ("old", "new", "", "old"):
        store.add_runs([RunSpec.parse({"study": study})])
    assert store.studies() == ["new", "old"]


def test_an_unknown_run_is_named(store):
    with pytest.raises(RequestError, match=r"there is no run #7 in .*runs.db"):
        store.run(7)


def test_running_runs_are_listed(store):
    store.add_runs([RunSpec.parse({"seed": seed}) for seed in range(3)])
    claimed = [store.claim(OWNER).id, store.claim(OWNER).id]
    store.finish(claimed[0], "done")
    assert [run.id for run in store.running()] == claimed[1:]


def test_another_connection_s_change_is_noticed(store):
    with Store(store.path) as viewer:
        before = viewer.change_count()
        assert viewer.change_count() == before
        store.add_runs([RunSpec.parse({})])
        assert viewer.change_count() != before


def test_what_the_epochs_of_a_run_add_up_to(store):
    first, second, bare = store.add_runs([RunSpec.parse({"seed": seed}) for seed in (0, 1, 2)])
    for epoch, accuracy in enumerate((20.0, 70.0, 60.0), start=1):
        store.record_epoch(first, make_epoch(epoch, val_accuracy=accuracy, seconds=2.0))
    store.record_epoch(second, make_epoch(1, val_accuracy=float("nan"), seconds=3.0))
    ids = [first, second, bare, 99]
    assert store.accuracy_areas(ids) == {first: 50.0}
    assert store.epoch_seconds(ids) == {first: 6.0, second: 3.0}
    assert store.epoch_seconds([second]) == {second: 3.0}


def test_the_first_epoch_that_reached_an_accuracy(store):
    first, second = store.add_runs([RunSpec.parse({"seed": seed}) for seed in (0, 1)])
    for epoch, accuracy in ((3, 60.0), (2, 70.0), (1, 20.0)):
        store.record_epoch(first, make_epoch(epoch, val_accuracy=accuracy))
    store.record_epoch(second, make_epoch(1, val_accuracy=60.0))
    assert store.first_epochs([first, second], 60.0) == {first: 2, second: 1}
    assert store.first_epochs([first], 60.0) == {first: 2}
    assert store.first_epochs([first, second], 70.0) == {first: 2}
    assert store.first_epochs([first, second], 70.5) == {}
