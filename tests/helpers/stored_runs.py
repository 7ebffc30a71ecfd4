"""Runs put into a store through its own methods, for tests that need few of them with known numbers."""

from agopconsole.metrics import EpochMetrics
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


def add_done(store, accuracy, *, at_chance=False, test_accuracy=None, **fields):
    """A run that is done, with that best validation accuracy; returns its id."""
    run_id = _claimed(store, fields)
    store.record_epoch(run_id, make_epoch(val_accuracy=accuracy))
    store.record_result(run_id, test_accuracy=test_accuracy, at_chance=at_chance)
    store.finish(run_id, "done")
    return run_id


def add_failed(store, *, diverged, **fields):
    """A run that got as far as an epoch of 99 % and then failed; returns its id."""
    run_id = _claimed(store, fields)
    store.record_epoch(run_id, make_epoch(val_accuracy=99.0))
    store.finish(run_id, "failed", "the loss is nan" if diverged else "out of memory", diverged=diverged)
    return run_id


def _claimed(store, fields):
    (run_id,) = store.add_runs([RunSpec.parse(fields)])
    assert store.claim(OWNER, only=[run_id]).id == run_id
    return run_id
