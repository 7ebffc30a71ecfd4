import contextlib
import dataclasses
import math
import sqlite3

import pytest
from helpers.stored_runs import OWNER, add_done, make_epoch

from agopconsole.metrics import EpochAnsatz, LayerAnsatz, LayerStart, StepMetrics
from agopconsole.spec import RunSpec

NAN = float("nan")
METRIC_TABLES = ("epochs", "steps", "layers", "ansatz", "logs")


@pytest.fixture
def run_id(store):
    store.add_runs([RunSpec.parse({})])
    return store.claim(OWNER).id


def make_layer(name, **changes):
    values = {field.name: 1.5 for field in dataclasses.fields(LayerStart)}
    return LayerStart(**{**values, "layer": name, "c_out": 64, "dim": 27, **changes})


def test_epochs_come_back_as_they_were_and_in_order(store, run_id):
    epochs = [make_epoch(epoch, val_accuracy=50.0 + epoch / 3) for epoch in (2, 1, 3)]
    for epoch in epochs:
        store.record_epoch(run_id, epoch)
    assert store.history(run_id) == sorted(epochs, key=lambda e: e.epoch)


def test_an_epoch_brings_the_run_up_to_date(store, run_id):
    for epoch, accuracy in enumerate((50.0, 70.0, 70.0, 60.0), start=1):
        store.record_epoch(run_id, make_epoch(epoch, val_accuracy=accuracy))
    run = store.run(run_id)
    assert (run.epoch, run.best_epoch, run.best_val_accuracy, run.final_val_accuracy) == (4, 2, 70.0, 60.0)
    assert (run.loss_gap, run.poster_loss_gap) == (0.5, 0.25)


def test_the_ansatz_comes_back_epoch_by_epoch_and_a_start_that_is_not_known_as_nan(store, run_id):
    first, second = (
        EpochAnsatz(epoch, (LayerAnsatz("features.0", 0.5, 0.75, NAN), LayerAnsatz("a[1]", -0.25, 0.0, 1.0)))
        for epoch in (0, 3)
    )
    for measured in (second, first, second):
        store.record_ansatz(run_id, measured)
    found = store.ansatz([run_id, 99])
    assert list(found) == [run_id]
    assert [(m.epoch, [layer.layer for layer in m.layers]) for m in found[run_id]] == [
        (0, ["features.0", "a[1]"]),
        (3, ["features.0", "a[1]"]),
    ]
    assert found[run_id][1].layers[1] == second.layers[1]
    assert math.isnan(found[run_id][0].layers[0].nfm_initial_nfm)


def test_an_epoch_that_is_recorded_again_replaces_the_old_one(store, run_id):
    store.record_epoch(run_id, make_epoch(1, val_accuracy=90.0))
    store.record_epoch(run_id, make_epoch(1, val_accuracy=40.0))
    assert [e.val_accuracy for e in store.history(run_id)] == [40.0]
    assert store.run(run_id).best_val_accuracy == 40.0


def test_nan_comes_back_as_nan_and_is_no_best(store, run_id):
    store.record_epoch(run_id, make_epoch(1, val_accuracy=30.0))
    store.record_epoch(run_id, make_epoch(2, train_loss=NAN, val_loss=NAN, val_accuracy=NAN))
    last = store.history(run_id)[-1]
    assert all(math.isnan(v) for v in (last.train_loss, last.val_loss, last.val_accuracy, last.loss_gap))
    assert (last.epoch, last.fixed_train_loss) == (2, 0.75)
    run = store.run(run_id)
    assert (run.best_val_accuracy, run.final_val_accuracy, run.loss_gap) == (30.0, None, None)


def test_infinity_comes_back_as_infinity(store, run_id):
    store.record_epoch(run_id, make_epoch(1, train_loss=math.inf))
    assert store.history(run_id)[0].train_loss == math.inf


def test_steps_come_back_in_order_and_are_replaced(store, run_id):
    store.record_steps(run_id, [StepMetrics(step, 1, 2.0 / step, 0.1, 1e-3) for step in (4, 2)])
    store.record_steps(run_id, [StepMetrics(4, 1, NAN, NAN, 1e-3)])
    first, second = store.steps(run_id)
    assert first == StepMetrics(2, 1, 1.0, 0.1, 1e-3)
    assert (second.step, math.isnan(second.loss)) == (4, True)


def test_the_start_keeps_the_order_of_the_layers(store, run_id):
    layers = [make_layer(name) for name in ("features.3", "features.0", "features.10")]
    store.record_start(run_id, layers)
    assert store.start(run_id) == layers
    store.record_start(run_id, [make_layer("features.3", common_mode=NAN), *layers[1:]])
    assert len(store.start(run_id)) == 3
    assert math.isnan(store.start(run_id)[0].common_mode)


def test_runs_keep_their_metrics_apart(store, run_id):
    other = add_done(store, 80.0, seed=1)
    store.record_epoch(run_id, make_epoch(1, val_accuracy=20.0))
    assert [e.val_accuracy for e in store.history(other)] == [80.0]
    assert store.run(other).best_val_accuracy == 80.0


def test_the_result_and_what_it_ran_on(store, run_id):
    store.record_setup(run_id, device="cuda:1", data_origin="/data", environment={"torch": "2.15"})
    store.record_result(run_id, test_accuracy=49.5, at_chance=True)
    run = store.run(run_id)
    assert (run.test_accuracy, run.flags) == (49.5, ["at_chance"])
    known = {name: value for name, value in run.provenance().items() if value is not None}
    assert known == {"torch": "2.15", "host": "here", "device": "cuda:1", "data_origin": "/data"}


def test_the_log_keeps_its_order(store, run_id):
    for level, message in (("info", "one"), ("warning", "two")):
        store.log(run_id, level, message)
    assert [(line.level, line.message) for line in store.logs(run_id)] == [("info", "one"), ("warning", "two")]


def test_features_of_one_key_are_kept_once(store):
    row = {"key": "k", "kind": "nfm", "source": "imagenet", "model": "vgg11", "dataset": "digits", "images": 0}
    rest = {"outputs": "", "relative_error": None, "layers": 8, "seconds": 0.5, "file": "k.safetensors"}
    store.record_features({**row, **rest})
    store.record_features({**row, **rest, "layers": 9})
    with contextlib.closing(sqlite3.connect(store.path)) as database:
        assert database.execute("SELECT key, layers FROM features").fetchall() == [("k", 9)]


def test_metrics_go_with_their_run(store, run_id):
    store.record_epoch(run_id, make_epoch())
    store.record_steps(run_id, [StepMetrics(1, 1, 1.0, 1.0, 1.0)])
    store.record_start(run_id, [make_layer("features.0")])
    store.record_ansatz(run_id, EpochAnsatz(0, (LayerAnsatz("features.0", 0.5, 0.5, 1.0),)))
    store.log(run_id, "info", "one")
    with contextlib.closing(sqlite3.connect(store.path)) as database:
        counts = [database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in METRIC_TABLES]
        assert counts == [1] * len(METRIC_TABLES)
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("DELETE FROM runs WHERE id = ?", (run_id,))
        counts = [database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in METRIC_TABLES]
        assert counts == [0] * len(METRIC_TABLES)
