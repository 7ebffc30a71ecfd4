from dataclasses import dataclass

import pytest
from helpers.stored_runs import make_epoch

from agopconsole.analysis.estimate import Machine, read_paces
from agopconsole.cli.progress import ProgressMeter
from agopconsole.spec import RunSpec
from agopconsole.store import Owner

HERE = Machine("here", {"cpu": ""})


@dataclass
class FakeRun:
    epoch: int
    epochs: int = 10
    status: str = "running"


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_nothing_tells_how_long_it_takes_before_the_first_epoch():
    progress = ProgressMeter(Clock()).measure([FakeRun(0)])
    assert progress.seconds_left is None
    assert str(progress) == "  0%  epoch 0/10"


def test_the_rest_takes_as_long_as_the_epochs_before_it():
    clock = Clock()
    meter = ProgressMeter(clock)
    meter.measure([FakeRun(0), FakeRun(0, status="queued")])
    clock.now = 60.0
    progress = meter.measure([FakeRun(5), FakeRun(0, status="queued")])
    assert (progress.share, progress.seconds_left) == (0.25, 180.0)
    assert str(progress) == " 25%  epoch 5/20  0/2 runs  3:00 left"


def test_what_was_done_before_says_nothing_about_speed():
    clock = Clock()
    meter = ProgressMeter(clock)
    meter.measure([FakeRun(8)])
    clock.now = 10.0
    assert meter.measure([FakeRun(9)]).seconds_left == 10.0


def test_a_part_of_an_epoch_counts():
    clock = Clock()
    meter = ProgressMeter(clock)
    meter.measure([FakeRun(0)])
    clock.now = 4000.0
    assert str(meter.measure([FakeRun(0)], 0.5)) == "  5%  epoch 0/10  21:06:40 left"


def test_a_run_that_ended_early_has_nothing_left():
    progress = ProgressMeter(Clock()).measure([FakeRun(3, status="failed")])
    assert (progress.share, progress.runs_done) == (1.0, 1)
    assert str(progress) == "100%  epoch 3/3"


def test_what_a_run_that_failed_did_not_train_is_no_speed():
    clock = Clock()
    meter = ProgressMeter(clock)
    meter.measure([FakeRun(0), FakeRun(0)])
    clock.now = 10.0
    progress = meter.measure([FakeRun(0, status="failed"), FakeRun(1)])
    assert (progress.share, progress.seconds_left) == (0.1, 90.0)


def test_stored_runs_like_those_that_are_left_tell_from_the_first_moment(store):
    specs = [RunSpec.parse({"epochs": 10, "seed": seed}) for seed in (0, 1)]
    first, _ = store.add_runs(specs)
    store.claim(Owner("here", "boot", 1, 0.0), only=[first])
    store.record_setup(first, device="cpu", data_origin="made up", environment={})
    store.record_epoch(first, make_epoch(1, seconds=4.0))
    clock = Clock()
    meter = ProgressMeter(clock, lambda: read_paces(store, HERE))
    # Nothing was trained since the meter was made.
    assert meter.measure(store.runs()).seconds_left == pytest.approx(9 * 4.0 + 10 * 4.0)
    clock.now = 3.0
    assert meter.measure(store.runs()).seconds_left == pytest.approx(73.0)
    store.record_epoch(first, make_epoch(2, seconds=4.0))
    clock.now = 5.0
    assert meter.measure(store.runs()).seconds_left == pytest.approx(72.0)


def test_two_runs_at_once_take_half_the_time(store):
    ids = store.add_runs([RunSpec.parse({"epochs": 5, "seed": seed}) for seed in (0, 1)])
    for run_id in ids:
        store.claim(Owner("here", "boot", 1, 0.0), only=[run_id])
        store.record_setup(run_id, device="cpu", data_origin="made up", environment={})
        store.record_epoch(run_id, make_epoch(1, seconds=4.0))
    meter = ProgressMeter(Clock(), lambda: read_paces(store, HERE))
    assert meter.measure(store.runs()).seconds_left == pytest.approx(16.0)
