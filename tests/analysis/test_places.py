"""Places on the x axis: epochs, steps and time of one run agree with one another."""

import math

import pytest
from helpers.demo_store import epoch_metrics

from agopconsole.analysis.places import Places
from agopconsole.spec import RunSpec
from agopconsole.store import Owner, Store


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """Three epochs of 18 steps and 2.5 s."""
    with Store(tmp_path_factory.mktemp("places") / "runs.db", create=True) as store:
        store.add_runs([RunSpec.parse({})])
        run = store.claim(Owner("here", "boot", 1, 0.0))
        return [epoch_metrics(run, epoch) for epoch in (1, 2, 3)]


@pytest.mark.parametrize(
    ("x", "of_epoch_2", "of_step_9", "of_step_63"),
    [("epoch", 2, 0.5, 3.5), ("step", 36, 9, 63), ("time", 5.0, 1.25, 8.75)],
)
def test_epochs_and_steps_lie_on_one_axis(history, x, of_epoch_2, of_step_9, of_step_63):
    places = Places(history, x)
    assert (places.of_epoch(2), places.of_step(9), places.of_step(63)) == (of_epoch_2, of_step_9, of_step_63)


def test_before_the_first_epoch_is_over_only_steps_have_a_place():
    assert math.isnan(Places([], "epoch").of_step(5))
    assert math.isnan(Places([], "time").of_step(5))
    assert Places([], "step").of_step(5) == 5
    assert Places([], "epoch").of_epoch(1) == 1
    assert math.isnan(Places([], "time").of_epoch(1))
