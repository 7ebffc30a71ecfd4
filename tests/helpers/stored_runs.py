"""Runs put into a store through its own methods, for tests that need few of them with known numbers."""

import json
import sqlite3

from agopconsole.metrics import EpochMetrics, LayerStart
from agopconsole.spec import RunSpec
from agopconsole.store import Owner

OWNER = Owner("here", "boot", 1, 0.0)


def make_epoch(epoch=1, **changes):
    """An epoch of ordinary numbers, but for `changes`."""
    values = {
        "epoch": epoch,
        "step": 18 * epoch,
        "train_loss": 1.0,
        "train_accuracy": 60.0,
        "fixed_train_loss": 0.75,
        "fixed_train_accuracy": 70.0,
        "val_loss": 1.25,
        "val_accuracy": 50.0,
        "gradient_norm": 0.5,
        "learning_rate": 1e-3,
        "seconds": 2.0,
        "images_per_second": 100.0,
    }
    return EpochMetrics(**{**values, **changes})


def make_start(*, outputs=(2.0, 2.0), participation_ratio=10.0):
    """The start of a VGG11's first and last convolution and of its head."""
    names = ("features.0", "features.18", "classifier.6")
    numbers = ((outputs[0], 12.0), (outputs[1], participation_ratio), (99.0, 3.0))
    return [
        LayerStart(name, 64, 27, 1.0, square, 1.0, 0.3, ratio, 0.1)
        for name, (square, ratio) in zip(names, numbers, strict=True)
    ]


def add_done(store, accuracy, *, at_chance=False, test_accuracy=None, start=(), **fields):
    """A run that is done, with that best validation accuracy; returns its id."""
    run_id = _claimed(store, fields)
    if start:
        store.record_start(run_id, start)
    store.record_epoch(run_id, make_epoch(val_accuracy=accuracy))
    store.record_result(run_id, test_accuracy=test_accuracy, at_chance=at_chance)
    store.finish(run_id, "done")
    return run_id


def add_seeds(store, init, accuracies, **fields):
    """Runs that are done, one for each accuracy, with the seeds 0, 1, ..."""
    for seed, accuracy in enumerate(accuracies):
        add_done(store, accuracy, init=init, seed=seed, **fields)


def add_failed(store, *, diverged, **fields):
    """A run that got as far as an epoch of 99 % and then failed; returns its id."""
    run_id = _claimed(store, fields)
    store.record_epoch(run_id, make_epoch(val_accuracy=99.0))
    store.finish(run_id, "failed", "the loss is nan" if diverged else "out of memory", diverged=diverged)
    return run_id


def of_later_version(store, run_id):
    """Makes a run one that a later version asked for: a network, a data set, an init and a field not known here."""
    asked = {"model": "resnet99", "dataset": "imagenet21k", "init": "magic"}
    spec = {**json.loads(store.run(run_id).spec), **asked, "label_smoothing": 0.1}
    columns = {**asked, "method": "magic", "spec": json.dumps(spec, sort_keys=True), "fingerprint": f"later-{run_id}"}
    with sqlite3.connect(store.path) as connection:
        connection.execute(
            f"UPDATE runs SET {', '.join(f'{name} = :{name}' for name in columns)} WHERE id = :id",
            {**columns, "id": run_id},
        )
    connection.close()
    return run_id


def _claimed(store, fields):
    (run_id,) = store.add_runs([RunSpec.parse(fields)])
    assert store.claim(OWNER, only=[run_id]).id == run_id
    return run_id
