"""How long runs will take, on stores of runs whose speed is known."""

import pytest
from helpers.stored_runs import make_epoch

from agopconsole.analysis.estimate import Machine, duration, read_paces, split_sizes
from agopconsole.spec import RunSpec
from agopconsole.store import Owner

HERE, ELSEWHERE = Owner("here", "boot", 1, 0.0), Owner("elsewhere", "boot", 1, 0.0)
TWO_CORES = Machine("here", {"cpu": "a Xeon, 2 cores"})
WITH_GPUS = Machine("here", {"cuda:0": "an H200", "cuda:1": "an old one", "cpu": "a Xeon, 2 cores"})


def trained(store, *, seconds, images_per_second=50.0, owner=HERE, device="cpu", hardware="", epochs=1, **fields):
    """A run that is done, each of its epochs as long as that; returns its id."""
    [run_id] = store.add_runs([RunSpec.parse({"epochs": epochs, **fields})])
    store.claim(owner, only=[run_id])
    environment = {"hardware": hardware} if hardware else {}  # older runs do not say
    store.record_setup(run_id, device=device, data_origin="made up", environment=environment)
    for epoch in range(1, epochs + 1):
        store.record_epoch(run_id, make_epoch(epoch, seconds=seconds, images_per_second=images_per_second))
    store.finish(run_id, "done")
    return run_id


def estimated(store, *specs, on=TWO_CORES):
    return read_paces(store, on).estimate([RunSpec.parse(spec) for spec in specs])


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
    assert (found.seconds, found.known, found.unknown) == (pytest.approx(180.0), 2, {})
    assert (found.here, found.elsewhere) == ({"cpu": 1}, {})


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
    assert str(found).startswith("not known: nothing comparable was ever trained on a ")


def test_what_is_known_is_told_beside_what_is_not(store):
    trained(store, seconds=30.0, images_per_second=50.0)
    found = estimated(store, {"epochs": 20}, {"model": "vgg13"}, {"model": "vgg13", "seed": 1})
    assert str(found) == (
        "about 10 min for 1 of them, from 1 run like these on this machine's processor; not known: 2 of vgg13 at 32 "
        "px in float32, batches of 64, since nothing comparable was ever trained on a processor"
    )


@pytest.mark.parametrize("wanted", ["auto", "cpu"])
def test_what_a_gpu_took_says_nothing_of_a_processor(store, wanted):
    # The shipped store has both, under one name of a machine.
    for seed in range(12):
        trained(store, seconds=0.5, images_per_second=9000.0, device="cuda:0", seed=seed)
    spec = {"epochs": 10, "device": wanted}
    assert str(estimated(store, spec)) == (
        "not known: nothing comparable was ever trained on a processor (1 of vgg11 at 32 px in float32, "
        "batches of 64)"
    )
    trained(store, seconds=30.0, seed=20)
    trained(store, seconds=0.5, images_per_second=9000.0, device="cuda:0", seed=21)
    assert str(estimated(store, spec)) == "about 5 min, from 1 run like these on this machine's processor"


@pytest.mark.parametrize(
    ("wanted", "on", "seconds"),
    [
        ("auto", WITH_GPUS, 5.0),
        ("cuda", WITH_GPUS, 5.0),
        ("cuda:0", WITH_GPUS, 5.0),
        ("cuda:1", WITH_GPUS, 80.0),
        ("cpu", WITH_GPUS, 300.0),
        ("auto", TWO_CORES, 300.0),
        ("mps", TWO_CORES, None),
        ("auto", Machine("here", {"mps": "an M2", "cpu": "an M2"}), None),
    ],
)
def test_each_device_is_measured_by_its_own_runs(store, wanted, on, seconds):
    trained(store, seconds=30.0, hardware="a Xeon, 2 cores")
    trained(store, seconds=0.5, device="cuda:0", hardware="an H200", seed=1)
    trained(store, seconds=8.0, device="cuda:1", hardware="an old one", seed=2)
    found = estimated(store, {"epochs": 10, "device": wanted}, on=on)
    assert found.seconds == (None if seconds is None else pytest.approx(seconds))


def test_another_device_of_the_kind_counts_for_want_of_one_like_this_and_is_told(store):
    trained(store, seconds=5.0, owner=ELSEWHERE)
    trained(store, seconds=8.0, hardware="a Xeon, 64 cores", seed=1)  # of this name, and another processor
    found = estimated(store, {"epochs": 4})
    assert (found.seconds, found.here, found.elsewhere) == (pytest.approx(26.0), {}, {"cpu": 2})
    assert str(found) == "about 26 s, from 2 runs like these on a processor elsewhere (none on this machine's)"
    trained(store, seconds=30.0, hardware="a Xeon, 2 cores", owner=ELSEWHERE, seed=2)  # the very same, under another
    found = estimated(store, {"epochs": 4})
    assert (found.seconds, found.here, found.elsewhere) == (pytest.approx(120.0), {"cpu": 1}, {})


def test_a_device_like_this_on_another_split_speaks_before_another_device_on_the_same(store):
    trained(store, seconds=1.0, images_per_second=2000.0, owner=ELSEWHERE)
    trained(store, seconds=30.0, images_per_second=50.0, limit=575)
    found = estimated(store, {"epochs": 1})
    assert found.seconds == pytest.approx(1150 / 50 + (30 - 575 / 50))


def test_runs_on_both_kinds_of_device_are_told_apart(store):
    trained(store, seconds=30.0)
    trained(store, seconds=0.5, device="cuda:0", seed=1)
    found = estimated(store, {"epochs": 2, "device": "cpu"}, {"epochs": 4}, on=WITH_GPUS)
    assert str(found) == (
        "about 1 min, from 1 run like these on this machine's processor and 1 run like these on this machine's GPU"
    )


def test_a_median_stands_against_a_run_that_was_disturbed(store):
    for seconds in (30.0, 31.0, 500.0):
        trained(store, seconds=seconds, images_per_second=50.0)
    assert estimated(store, {"epochs": 1}).seconds == pytest.approx(31.0)


def test_a_run_under_way_tells_by_its_epochs_already_and_has_the_rest_left(store):
    [run_id, _] = store.add_runs([RunSpec.parse({"epochs": 10, "seed": seed}) for seed in (0, 1)])
    store.claim(HERE, only=[run_id])
    store.record_setup(run_id, device="cpu", data_origin="made up", environment={})
    assert read_paces(store, TWO_CORES).left(store.runs()) is None
    store.record_epoch(run_id, make_epoch(1, seconds=2.0))
    assert read_paces(store, TWO_CORES).left(store.runs()) == pytest.approx(9 * 2.0 + 10 * 2.0)
    store.finish(run_id, "done")
    assert read_paces(store, TWO_CORES).left(store.runs()[:1]) == 0.0


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (29, "29 s"), (90, "2 min"), (7260, "2 h 01"), (5 * 86_400, "5 days")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_the_rest_of_a_run_is_measured_on_the_device_that_it_has(store):
    trained(store, seconds=30.0)
    trained(store, seconds=0.5, device="cuda:0", seed=1)
    [run_id, queued] = store.add_runs([RunSpec.parse({"epochs": 10, "seed": seed}) for seed in (2, 3)])
    assert read_paces(store, TWO_CORES).left([store.run(queued)]) == pytest.approx(300.0)
    store.claim(HERE, only=[run_id])
    store.record_setup(run_id, device="cuda:0", data_origin="made up", environment={})
    assert read_paces(store, TWO_CORES).left([store.run(run_id)]) == pytest.approx(5.0)
