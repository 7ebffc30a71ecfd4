"""A stored run is trained once more, with the fake engine in the engine's place."""

import json

import pytest
from helpers.fake_engine import execute
from helpers.stored_runs import OWNER

from agopconsole.backend.events import DivergedError
from agopconsole.backend.places import BEST_WEIGHTS, Places
from agopconsole.errors import RequestError
from agopconsole.queue.job import record
from agopconsole.queue.rerun import rerun
from agopconsole.spec import RunSpec


@pytest.fixture
def trained(store, tmp_path):
    """Trains a run of three epochs into the store, with its sources; returns its id."""

    def trained(**fields):
        [run_id] = store.add_runs([RunSpec.parse({"epochs": 3, "lr": 0.0001, **fields})])
        source = store.run(run_id).source_run
        for each in [source, run_id] if source else [run_id]:
            train(store, each, tmp_path)
        return run_id

    return trained


def train(store, run_id, folder):
    store.claim(OWNER, only=[run_id])
    files = store.run_files(run_id)
    files.mkdir(parents=True)
    places = Places(files, folder / "features", folder / "data")
    try:
        for event in execute(store.run(run_id).request, places, should_stop=lambda: False, report=str):
            record(store, run_id, event)
    except DivergedError as error:
        store.finish(run_id, "failed", str(error), diverged=True)
    else:
        store.finish(run_id, "done")
    (files / BEST_WEIGHTS).touch()


@pytest.fixture
def verdict(store, tmp_path):
    """Trains a run again; what came of it."""

    def verdict(run_id, told=None):
        folder = tmp_path / "again"
        folder.mkdir()
        tell = (lambda _: None) if told is None else told.append
        return rerun(store, run_id, data=tmp_path / "data", folder=folder, tell=tell, execute=execute)

    return verdict


def change(store, sql, *values):
    store._connection.execute(sql, values)


def test_a_run_that_is_the_same_again_is_equal_to_its_end(store, trained, verdict):
    before, told = store.run(trained()), []
    found = verdict(before.id, told)
    assert (found.parting, found.epochs, found.environment, found.sources) == (None, 3, {}, ())
    assert "epoch 2/3 is equal" in told
    assert store.run(before.id) == before


@pytest.mark.parametrize(
    ("sql", "where", "name", "epochs"),
    [
        ("UPDATE layers SET common_mode = 1.6", "at the start, features.0", "common_mode", 0),
        ("UPDATE epochs SET val_loss = val_loss * (1 + 1e-15) WHERE epoch = 2", "in epoch 2", "val_loss", 1),
        ("UPDATE epochs SET train_loss = NULL WHERE epoch = 3", "in epoch 3", "train_loss", 2),
        ("UPDATE runs SET test_accuracy = 50.001", "at the end", "test_accuracy", 3),
        ("UPDATE runs SET diverged = 1, status = 'failed'", "at the end", "status", 3),
        ("DELETE FROM epochs WHERE epoch = 3", "in epoch 3", "status", 2),
    ],
)
def test_it_names_the_first_number_that_is_not_the_stored_one(store, trained, verdict, sql, where, name, epochs):
    run_id = trained()
    change(store, sql)
    found = verdict(run_id)
    assert (found.parting.where, found.parting.name, found.epochs) == (where, name, epochs)


def test_how_long_an_epoch_took_is_no_difference(store, trained, verdict):
    run_id = trained()
    change(store, "UPDATE epochs SET seconds = 99, images_per_second = 1")
    assert verdict(run_id).parting is None


def test_a_run_that_diverges_again_where_it_did_is_equal(store, trained, verdict):
    found = verdict(trained(name="diverge"))
    assert (found.run.diverged, found.parting, found.epochs) == (1, None, 1)


def test_one_that_diverged_later_or_not_at_all_is_not(store, trained, verdict):
    run_id = trained(name="diverge")
    change(store, "UPDATE runs SET spec = json_set(spec, '$.name', 'fine')")
    parting = verdict(run_id).parting
    assert (parting.where, parting.name, parting.now) == ("in epoch 2", "status", "still training")


def test_what_is_not_as_it_was_is_named(store, trained, verdict):
    run_id = trained()
    environment = json.dumps({"agopconsole": "older", "threads": 1})
    change(
        store, "UPDATE runs SET environment = ?, device = 'cuda:0', started_code = ?", environment, '{"commit": "x"}'
    )
    found = verdict(run_id)
    assert found.environment["agopconsole"] == ("older", "test")
    assert found.environment["device"] == ("cuda:0", "cpu")
    assert found.environment["commit"][0] == "x"


def test_a_source_that_left_no_weights_is_trained_again_first_and_must_be_equal(store, trained, verdict, tmp_path):
    run_id = trained(init="nfm", source="dataset:digits", source_epochs=1)
    source = store.run(run_id).source_run
    (store.run_files(source) / BEST_WEIGHTS).unlink()
    assert (verdict(run_id).parting, (tmp_path / "again" / str(source)).is_dir()) == (None, True)
    change(store, "UPDATE epochs SET val_accuracy = 1 WHERE run_id = ?", source)
    (tmp_path / "again").rename(tmp_path / "before")
    found = verdict(run_id)
    assert (found.run.id, found.parting.name) == (source, "val_accuracy")


def test_a_source_whose_weights_are_there_serves_again(store, trained, verdict, tmp_path):
    run_id = trained(init="nfm", source="dataset:digits", source_epochs=1)
    found = verdict(run_id)
    assert (found.parting, found.sources) == (None, ())
    assert not (tmp_path / "again" / str(store.run(run_id).source_run)).exists()


def test_a_run_without_a_result_is_refused(store, verdict):
    [run_id] = store.add_runs([RunSpec()])
    with pytest.raises(RequestError, match="run #1 is queued; only one that is done or diverged"):
        verdict(run_id)
