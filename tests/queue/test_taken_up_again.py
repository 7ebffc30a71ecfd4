"""Runs that a reboot or a full disk cut off: the next worker ends them with the numbers of an undisturbed run."""

import os

import pytest
from helpers import full_disk

from agopconsole.backend.events import StepsDone
from agopconsole.backend.places import Places
from agopconsole.backend.run import execute
from agopconsole.errors import NoRoomError
from agopconsole.queue.identity import process_owner
from agopconsole.queue.job import record
from agopconsole.queue.worker import Worker
from agopconsole.spec import RunSpec
from agopconsole.store import Owner, Store

pytestmark = pytest.mark.usefixtures("ready_engine")

SPEC = {
    "dataset": "digits",
    "image_size": 8,
    "val_fraction": 0.05,
    "limit": 96,
    "model": "vit_tiny",
    "optimizer": "adamw",
    "lr": 0.003,
    "batch_size": 16,
    "epochs": 4,
}


def train(store, run_id, until=lambda event: False):
    """Trains a run in this process, as its job would, up to the first event that `until` tells: there all ends."""
    places = Places(store.run_files(run_id), store.files / "features", store.path.parent / "data")
    places.run_files.mkdir(parents=True)
    for event in execute(store.run(run_id).request, places, should_stop=lambda: False):
        record(store, run_id, event)
        if until(event):
            return
    store.finish(run_id, "done")


def numbers(store, run_id):
    """All that a run yielded, but for what a clock says."""
    run = store.run(run_id)
    epochs = [
        {name: getattr(epoch, name) for name in epoch.__slots__ if "second" not in name}
        for epoch in store.history(run_id)
    ]
    return epochs, store.steps(run_id), store.start(run_id), run.best_epoch, run.test_accuracy, run.at_chance


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The numbers of the run, trained at one go."""
    with Store(tmp_path_factory.mktemp("undisturbed") / "runs.db", create=True) as store:
        [run_id] = store.add_runs([RunSpec.parse(SPEC)])
        store.claim(process_owner())
        train(store, run_id)
        return numbers(store, run_id)


def drain(store):
    with Worker(store, store.path.parent / "data", engine=full_disk.ENGINE) as worker:
        worker.run(drain=True)


def test_after_a_reboot_the_next_worker_goes_on_from_the_checkpoint(store, undisturbed):
    [run_id] = store.add_runs([RunSpec.parse(SPEC)])
    me = process_owner()
    # The id of its process has gone to another one since, which is alive and started at the same time of the boot.
    store.adopt(store.claim(me), Owner(me.host, "an earlier boot", os.getpid(), me.pid_started))
    train(store, run_id, until=lambda event: isinstance(event, StepsDone) and event.steps[-1].epoch == 3)
    assert (store.run(run_id).status, store.run(run_id).epoch) == ("running", 2)
    drain(store)
    run = store.run(run_id)
    assert (run.status, run.attempts, run.boot_id) == ("done", 2, me.boot_id)
    assert numbers(store, run_id) == undisturbed
    assert f"its process (pid {me.pid} on {me.host}) is gone" in [line.message for line in store.logs(run_id)]


@pytest.mark.parametrize("moment", [full_disk.BEFORE_THE_STORE, full_disk.BEFORE_A_CHECKPOINT])
def test_a_disk_that_fills_up_costs_no_number(store, undisturbed, moment):
    [run_id] = store.add_runs([RunSpec.parse({**SPEC, "name": moment})])
    with pytest.raises(NoRoomError, match=rf"^the disk is full; run #{run_id} goes on from its last checkpoint"):
        drain(store)
    run = store.run(run_id)
    assert (run.status, run.deaths, run.epoch) == ("queued", 0, 2)
    assert not list(store.files.rglob("*.part"))
    assert store.damage() is None
    drain(store)
    assert (store.run(run_id).status, store.run(run_id).attempts) == ("done", 2)
    assert numbers(store, run_id) == undisturbed
