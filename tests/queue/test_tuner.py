"""The search for the best settings, with runs that are trained by hand."""

import pytest
from helpers.stored_runs import OWNER, make_epoch

from agopconsole.queue.tuner import MOST_FAILURES, Tuner
from agopconsole.store import REFUSED
from agopconsole.study import expand


@pytest.fixture
def tuner(store):
    """Makes a tuner of one method, or of several, on an empty store."""

    def tuner(trials=3, inits=("normal",), at_once=1, epochs=4, lr=0.01, file=":memory:"):
        table = {"inits": list(inits), "seeds": 2, "run": {"epochs": epochs, "lr": lr}, "tune": {"lr": [0.001, 1]}}
        study = expand(table, "s")
        told = []
        made = Tuner(store, study, f"sqlite:///{file}", trials=trials, at_once=at_once, tell=told.append)
        made.told = told
        return made

    return tuner


def open_runs(store):
    return store.runs(status="queued") + store.runs(status="running")


def train(store, run, *accuracies):
    """Claims a run, where that is still to be done, and trains epochs with those validation accuracies."""
    if run.status == "queued":
        store.claim(OWNER, only=[run.id])
    for accuracy in accuracies:
        epoch = store.run(run.id).epoch + 1
        store.record_epoch(run.id, make_epoch(epoch, val_accuracy=accuracy))


def finish(store, *accuracies):
    """Trains the only open run to its end; returns it."""
    [run] = open_runs(store)
    train(store, run, *accuracies)
    store.finish(run.id, "done")
    return store.run(run.id)


def test_the_first_trial_is_the_study_itself_and_the_best_is_found(tuner, store):
    tuning = tuner(trials=3)
    runs = []
    for accuracy in (50.0, 70.0, 60.0):
        tuning.update()
        runs.append(finish(store, accuracy))
    tuning.update()
    assert open_runs(store) == []
    assert {(run.study, run.seed, run.epochs) for run in runs} == {("s-tune", 2, 4)}
    assert runs[0].request.lr == 0.01
    assert all(0.001 <= run.request.lr <= 1 and float(f"{run.request.lr:.3g}") == run.request.lr for run in runs)
    [found] = tuning.found()
    assert (found.best.id, found.own, found.trials, found.pruned, found.error) == (runs[1].id, 50.0, 3, 0, "")
    assert tuning.ids == {run.id for run in runs}
    assert tuning.told[0] == "normal on digits, trial 1 (run #1): lr 0.01: 50.00 %"


def test_settings_outside_what_is_tried_are_not_the_first_trial(tuner, store):
    tuning = tuner(trials=1, lr=2.0)
    tuning.update()
    assert finish(store, 50.0).request.lr <= 1
    tuning.update()
    assert tuning.found()[0].own is None


def test_methods_take_turns_and_as_many_are_under_way_as_there_is_room_for(tuner, store):
    tuning = tuner(trials=2, inits=("normal", "uniform"), at_once=3)
    tuning.update()
    assert [run.init for run in open_runs(store)] == ["normal", "uniform", "normal"]
    first = open_runs(store)[0]
    train(store, first, 50.0)
    store.finish(first.id, "done")
    tuning.update()
    assert [run.init for run in open_runs(store)] == ["uniform", "normal", "uniform"]


def test_a_trial_below_the_median_ends_cancelled_with_the_reason_in_its_log(tuner, store):
    tuning = tuner(trials=6)
    for _ in range(5):
        tuning.update()
        finish(store, 50.0, 60.0, 70.0, 80.0)
    tuning.update()
    [poor] = open_runs(store)
    train(store, poor, 10.0)
    tuning.update()
    assert store.run(poor.id).cancel_requested == 0  # one epoch says too little
    train(store, store.run(poor.id), 11.0)
    tuning.update()
    assert store.run(poor.id).cancel_requested
    store.put_down(store.run(poor.id))  # as its worker does once the job has stopped
    assert store.run(poor.id).status == "cancelled"
    assert "pruned after epoch 2: its best validation accuracy, 11.00 %, is below the median" in " ".join(
        line.message for line in store.logs(poor.id)
    )
    [found] = tuning.found()
    assert (found.trials, found.pruned) == (6, 1)
    assert tuning.told[-1].endswith("pruned after epoch 2")


def test_a_trial_that_diverges_is_the_worst_result_and_no_failure(tuner, store):
    tuning = tuner(trials=2)
    tuning.update()
    [run] = open_runs(store)
    train(store, run, 99.0)
    store.finish(run.id, "failed", "the loss is nan", diverged=True)
    tuning.update()
    best = finish(store, 20.0)
    tuning.update()
    [found] = tuning.found()
    assert (found.best.id, found.own, found.trials, found.error) == (best.id, None, 2, "")
    assert tuning.told[0].endswith("diverged")


def test_a_method_whose_runs_fail_is_given_up(tuner, store):
    tuning = tuner(trials=9)
    for _ in range(MOST_FAILURES):
        tuning.update()
        [run] = open_runs(store)
        store.claim(OWNER, only=[run.id])
        store.finish(run.id, "failed", "the data set is not there")
    tuning.update()
    assert open_runs(store) == []
    [found] = tuning.found()
    assert (found.best, found.trials, found.error) == (None, 0, "the data set is not there")


@pytest.mark.parametrize("cause", ["", "its source, run #9, failed: "])
def test_a_method_that_is_asked_for_wrongly_is_given_up_at_its_first_failure(tuner, store, cause):
    tuning = tuner(trials=9)
    tuning.update()
    [run] = open_runs(store)
    store.claim(OWNER, only=[run.id])
    store.finish(run.id, "failed", f"{cause}{REFUSED}limit 2000: digits has 1,150 images to train on")
    tuning.update()
    assert open_runs(store) == []
    [found] = tuning.found()
    assert (found.trials, "limit 2000" in found.error) == (0, True)


def test_what_an_interrupted_search_left_is_taken_up_and_more_trials_add_to_it(tuner, store, tmp_path):
    before = tuner(trials=2, file=tmp_path / "o.db")
    before.update()
    finish(store, 50.0)
    before.update()
    [left] = open_runs(store)
    train(store, left, 40.0)
    after = tuner(trials=3, file=tmp_path / "o.db")
    assert after.ids == {left.id}
    train(store, store.run(left.id), 80.0)
    store.finish(left.id, "done")
    after.update()
    finish(store, 60.0)
    after.update()
    assert len(store.runs()) == 3
    [found] = after.found()
    assert (found.best.id, found.trials) == (left.id, 3)


def test_a_trial_whose_run_was_removed_is_forgotten(tuner, store, tmp_path):
    before = tuner(trials=1, file=tmp_path / "o.db")
    before.update()
    [run] = open_runs(store)
    store.remove([run.id])
    after = tuner(trials=1, file=tmp_path / "o.db")
    after.update()
    finish(store, 50.0)
    after.update()
    assert after.found()[0].trials == 1
    store.remove([run.id for run in store.runs()])
    assert after.found()[0].best is None
