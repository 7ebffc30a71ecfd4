"""What a study still needs, by what the store holds of it."""

from helpers.stored_runs import OWNER

from agopconsole.queue.plan import plan
from agopconsole.spec import RunSpec
from agopconsole.study import expand

ROUNDS = {"inits": ["kaiming_normal", "nfm"], "rounds": 3, "run": {"source": "dataset:digits:0-4", "epochs": 1}}


def study(**changes):
    return expand({**ROUNDS, **changes}, "s").runs


def labels(specs):
    return [spec.label for spec in specs]


def end(store, label, status, **ending):
    [run] = [run for run in store.runs(study="s") if run.method == label and not run.trains_source]
    train(store, run.id, status, **ending)


def train(store, run_id, status="done", **ending):
    store.claim(OWNER, only=[run_id])
    store.finish(run_id, status, **ending)


def test_without_a_store_all_is_missing_and_the_source_too():
    planned = plan(None, study())
    assert labels(planned.missing) == ["kaiming_normal", "nfm", "nfm round=2", "nfm round=3"]
    assert [source.name for source in planned.sources] == ["source digits 0-4"]
    assert (planned.known, planned.lost, planned.is_complete) == ([], (), False)


def test_rounds_wait_for_one_another_and_nothing_is_queued_twice(store):
    specs = study()
    ids = store.add_runs(plan(store, specs).missing)
    runs = {run.id: run for run in store.runs()}
    normal, first, second, third = (runs[i] for i in ids)
    assert [run.status for run in (normal, first, second, third)] == ["queued", "waiting", "waiting", "waiting"]
    assert (second.source_run, third.source_run) == (first.id, second.id)
    planned = plan(store, specs)
    assert (planned.missing, planned.sources, planned.known) == ((), (), ids)
    assert len(runs) == 5
    train(store, first.source_run)
    train(store, first.id)
    assert [store.run(i).status for i in ids] == ["queued", "done", "queued", "waiting"]


def test_a_last_round_alone_brings_those_before_it(store):
    [run_id] = store.add_runs([RunSpec.parse({"init": "kaiming_agop", "source": "noise", "round": 3, "study": "s"})])
    chain = [store.run(run_id)]
    while chain[-1].source_run is not None:
        chain.append(store.run(chain[-1].source_run))
    assert [run.method for run in chain] == ["kaiming_agop round=3", "kaiming_agop round=2", "kaiming_normal"]


def test_what_starts_from_a_run_that_diverged_is_lost_and_not_queued_again(store):
    specs = study()
    store.add_runs(specs)
    end(store, "kaiming_normal", "done")
    end(store, "nfm", "failed", diverged=True)
    assert {run.status for run in store.runs(study="s") if run.method.startswith("nfm ")} == {"failed"}
    planned = plan(store, specs)
    assert (labels(planned.lost), planned.missing, planned.sources) == (["nfm round=2", "nfm round=3"], (), ())
    assert planned.is_complete


def test_what_failed_is_to_be_done_again(store):
    specs = study()
    store.add_runs(specs)
    end(store, "nfm", "failed")
    planned = plan(store, specs)
    assert labels(planned.missing) == ["nfm", "nfm round=2", "nfm round=3"]
    assert not planned.is_complete
