import dataclasses

import pytest
from helpers.stored_runs import OWNER, add_done, add_failed, make_epoch

from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec
from agopconsole.store import Store
from agopconsole.store.records import EpochSums


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


def test_epoch_sums_are_what_the_epochs_add_up_to(store):
    first, second = store.add_runs([RunSpec.parse({"seed": seed}) for seed in (0, 1)])
    for epoch, accuracy in enumerate((20.0, 70.0, 60.0), start=1):
        store.record_epoch(first, make_epoch(epoch, val_accuracy=accuracy, seconds=2.0))
    sums = store.epoch_sums([first, second], accuracy=60.0)
    assert sums == {first: EpochSums(accuracy_area=50.0, seconds=6.0, first_epoch=2)}
    assert store.epoch_sums([first], accuracy=70.5)[first].first_epoch is None
