"""How long runs will take, on stores of runs whose speed is known."""

import platform

import pytest
from helpers.stored_runs import make_epoch

from agopconsole.analysis.estimate import duration, read_paces, split_sizes
from agopconsole.spec import RunSpec
from agopconsole.store import Owner

HERE = Owner(platform.node(), "boot", 1, 0.0)


def trained(store, *, seconds, images_per_second, owner=HERE, device="cpu", epochs=1, **fields):
    """A run that is done, each of its epochs as long as that; returns its id."""
    [run_id] = store.add_runs([RunSpec.parse({"epochs": epochs, **fields})])
    store.claim(owner, only=[run_id])
    store.record_setup(run_id, device=device, data_origin="made up", environment={})
    for epoch in range(1, epochs + 1):
        store.record_epoch(run_id, make_epoch(epoch, seconds=seconds, images_per_second=images_per_second))
    store.finish(run_id, "done")
    return run_id


def estimated(store, *specs):
    return read_paces(store).estimate([RunSpec.parse(spec) for spec in specs])


@pytest.mark.parametrize(
    ("fields", "sizes"),
    [
        ({"dataset": "cifar10"}, (40_000, 10_000)),
        ({"dataset": "cifar10", "limit": 5000, "val_fraction": 0.04}, (5000, 2000)),
        ({"dataset": "cifar10", "classes": "0-4"}, (20_000, 5000)),
        ({"dataset": "digits", "limit": 1400}, (1150, 287)),
        ({"dataset": "imagefolder:pictures"}, None),
    ],
)
def test_the_sizes_of_a_split_are_those_of_the_published_set(fields, sizes):
    assert split_sizes(RunSpec.parse(fields)) == sizes


def test_runs_on_the_same_split_take_as_long_an_epoch(store):
    trained(store, seconds=30.0, images_per_second=50.0, init="nfm", lr=0.1)
    found = estimated(store, {"epochs": 4}, {"epochs": 2, "seed": 7})
    # Beside their epochs the run took no time at all.
    assert (found.seconds, found.known, found.unknown, found.elsewhere) == (pytest.approx(180.0), 2, {}, False)


def test_other_sizes_are_scaled_training_and_evaluation_apart(store):
    # 1,150 images at 50 a second are 23 s; the other 7 s evaluate, in proportion to 287 images.
    trained(store, seconds=30.0, images_per_second=50.0)
    found = estimated(store, {"epochs": 1, "dataset": "cifar10", "limit": 5000, "val_fraction": 0.04})
    assert found.seconds == pytest.approx(5000 / 50 + 7 * 2000 / 287)


def test_a_folder_of_pictures_counts_for_itself_alone(store):
    trained(store, seconds=30.0, images_per_second=50.0, dataset="imagefolder:a", image_size=32)
    assert estimated(store, {"dataset": "imagefolder:a", "image_size": 32, "epochs": 2}).seconds == pytest.approx(
        60.0
    )
    assert estimated(store, {"dataset": "imagefolder:b", "image_size": 32}).seconds is None
    assert estimated(store, {"dataset": "digits"}).seconds is None


@pytest.mark.parametrize(
    "other",
    [{"model": "vgg13"}, {"image_size": 64}, {"precision": "bfloat16"}, {"batch_size": 32}, {"device": "cuda"}],
)
def test_what_is_like_nothing_is_not_known(store, other):
    trained(store, seconds=30.0, images_per_second=50.0)
    found = estimated(store, other)
    assert (found.seconds, found.known, sum(found.unknown.values())) == (None, 0, 1)
    assert str(found).startswith("not known: no run like these has trained here yet (1 of vgg1")


def test_what_is_known_is_told_beside_what_is_not(store):
    trained(store, seconds=30.0, images_per_second=50.0)
    found = estimated(store, {"epochs": 20}, {"model": "vgg13"}, {"model": "vgg13", "seed": 1})
    assert str(found) == (
        "about 10 min for 1 of them; not known: 2 of vgg13 at 32 px in float32, batches of 64, for want of runs like "
        "these"
    )


def test_this_machine_speaks_before_another(store):
    trained(store, seconds=5.0, images_per_second=300.0, owner=Owner("elsewhere", "boot", 1, 0.0))
    found = estimated(store, {"epochs": 4})
    assert (found.seconds, found.elsewhere) == (pytest.approx(20.0), True)
    assert str(found).endswith("(as measured on another machine)")
    trained(store, seconds=30.0, images_per_second=50.0)
    found = estimated(store, {"epochs": 4})
    assert (found.seconds, found.elsewhere) == (pytest.approx(120.0), False)


def test_a_median_stands_against_a_run_that_was_disturbed(store):
    for seconds in (30.0, 31.0, 500.0):
        trained(store, seconds=seconds, images_per_second=50.0)
    assert estimated(store, {"epochs": 1}).seconds == pytest.approx(31.0)


def test_a_run_under_way_tells_by_its_epochs_already_and_has_the_rest_left(store):
    [run_id, _] = store.add_runs([RunSpec.parse({"epochs": 10, "seed": seed}) for seed in (0, 1)])
    store.claim(HERE, only=[run_id])
    store.record_setup(run_id, device="cpu", data_origin="made up", environment={})
    assert read_paces(store).left(store.runs()) is None
    store.record_epoch(run_id, make_epoch(1, seconds=2.0))
    assert read_paces(store).left(store.runs()) == pytest.approx(9 * 2.0 + 10 * 2.0)
    store.finish(run_id, "done")
    assert read_paces(store).left(store.runs()[:1]) == 0.0


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (29, "29 s"), (90, "2 min"), (7260, "2 h 01"), (5 * 86_400, "5 days")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text
