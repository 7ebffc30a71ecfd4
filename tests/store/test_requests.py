import pytest
from helpers.stored_runs import OWNER, add_done, add_failed

from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec


def from_dataset(**fields):
    return RunSpec.parse({"init": "nfm", "source": "dataset:digits:0-4", **fields})


def test_a_queued_run_carries_its_spec_in_columns(store):
    spec = RunSpec.parse(
        {"init": "kaiming_nfm", "dataset": "svhn", "seed": 3, "lr": 0.5, "study": "s", "layers": "first:2"}
    )
    (run_id,) = store.add_runs([spec])
    run = store.run(run_id)
    assert (run.status, run.method, run.twin) == (
        "queued",
        "kaiming_nfm layers=first:2",
        "kaiming_normal layers=first:2",
    )
    assert (run.dataset, run.seed, run.lr, run.study, run.source) == ("svhn", 3, 0.5, "s", "imagenet")
    assert run.name == "svhn kaiming_nfm layers=first:2 s3"
    assert (run.request, run.fingerprint) == (spec, spec.fingerprint)


def test_a_method_without_a_source_shows_none(store):
    (run_id,) = store.add_runs([RunSpec.parse({"init": "normal"})])
    assert (store.run(run_id).source, store.run(run_id).source_run) == (None, None)


def test_ids_come_in_the_order_of_the_specs(store):
    ids = store.add_runs([from_dataset(seed=seed) for seed in (5, 6, 7)])
    assert [store.run(run_id).seed for run_id in ids] == [5, 6, 7]


def test_one_source_run_serves_a_whole_study(store):
    ids = store.add_runs(
        [from_dataset(seed=seed, init=init) for seed in (0, 1) for init in ("nfm", "agop", "pretrained")]
    )
    waiting = store.runs(ids=ids)
    (source,) = store.runs(status="queued")
    assert {run.source_run for run in waiting} == {source.id}
    assert {run.status for run in waiting} == {"waiting"}
    assert (source.dataset, source.request.classes, source.request.optimizer) == ("digits", "0-4", "adamw")
    assert store.add_runs([from_dataset(seed=9)]) == [source.id + len(ids) + 1]


def test_a_source_that_is_done_makes_no_one_wait(store):
    (first,) = store.add_runs([from_dataset()])
    source = store.claim(OWNER)
    store.finish(source.id, "done")
    (second,) = store.add_runs([from_dataset(seed=1)])
    assert (store.run(second).status, store.run(second).source_run) == ("queued", store.run(first).source_run)


def test_a_source_that_failed_is_trained_again(store):
    store.add_runs([from_dataset()])
    source = store.claim(OWNER)
    store.finish(source.id, "failed", "out of memory")
    (run_id,) = store.add_runs([from_dataset(seed=1)])
    assert store.run(run_id).source_run not in (None, source.id)
    assert store.run(run_id).status == "waiting"


def test_sources_of_other_classes_are_other_runs(store):
    store.add_runs([from_dataset(), from_dataset(source="dataset:digits:5-9"), from_dataset(source="dataset:digits")])
    assert len(store.runs(status="queued")) == 3


def test_a_run_can_start_from_another_by_its_id(store):
    done = add_done(store, 80.0)
    (queued,) = store.add_runs([RunSpec.parse({"seed": 1})])
    ready, waiting = store.add_runs([RunSpec.parse({"init": "nfm", "source": f"run:{i}"}) for i in (done, queued)])
    assert (store.run(ready).status, store.run(ready).source_run) == ("queued", done)
    assert (store.run(waiting).status, store.run(waiting).source_run) == ("waiting", queued)


def test_a_run_cannot_start_from_one_that_is_not_there_or_failed(store):
    failed = add_failed(store, diverged=True)
    for source, message in (("run:99", "no run #99"), (f"run:{failed}", "failed; start from one that is done")):
        with pytest.raises(RequestError, match=message):
            store.add_runs([RunSpec.parse({"init": "nfm", "source": source})])


def test_runs_are_added_all_or_none(store):
    specs = [RunSpec.parse({}), from_dataset(), RunSpec.parse({"init": "nfm", "source": "run:99"})]
    with pytest.raises(RequestError):
        store.add_runs(specs)
    assert store.runs() == []
    assert len(store.add_runs(specs[:2])) == 2
