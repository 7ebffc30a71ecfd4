import contextlib
import sqlite3
from dataclasses import replace

from sqlite_utils import Database

from agopconsole.store import Store
from agopconsole.store.schema import migrations
from agopconsole.study import parse_study

TEXT = 'name = "mine"\ndescription = "what for"\ninits = ["normal", "uniform"]\nbaseline = "uniform"\n'


def study():
    return parse_study(TEXT, default_name="file", origin="file.toml")


def test_a_study_comes_back_as_it_was_and_of_another_nothing_is_known(store):
    store.record_study(study())
    found = store.study_record("mine")
    assert (found.name, found.description, found.baseline, found.text) == ("mine", "what for", "uniform", TEXT)
    assert store.study_record("file") is None


def test_a_study_that_says_the_same_again_is_left_alone_and_waits_for_no_one(store):
    store.record_study(study())
    before = store.study_record("mine")
    with contextlib.closing(sqlite3.connect(store.path)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        store.record_study(study())
    assert store.study_record("mine") == before


def test_a_study_that_says_something_else_takes_the_place_of_what_it_said(store):
    store.record_study(study())
    store.record_study(replace(study(), baseline="normal"))
    assert store.study_record("mine").baseline == "normal"


def test_a_store_of_the_schema_before_learns_to_keep_studies(tmp_path):
    path = tmp_path / "runs.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        migrations.apply(Database(database), stop_before="m006_studies")
        database.execute("PRAGMA user_version = 3")
    for _ in range(2):
        with Store(path) as store:
            store.record_study(study())
            assert store.study_record("mine").baseline == "uniform"
    assert [file.name for file in tmp_path.glob("*.bak")] == ["runs.db.v3.bak"]
