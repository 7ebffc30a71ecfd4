import contextlib
import sqlite3
import threading
from types import SimpleNamespace

import pytest
from helpers.imports import HEAVY, loaded_by
from helpers.stored_runs import OWNER, add_done
from sqlite_utils import Database

from agopconsole.errors import RequestError, WorkError
from agopconsole.metrics import StepMetrics
from agopconsole.spec import RunSpec
from agopconsole.store import Store, connection
from agopconsole.store.schema import migrations

GARBAGE = bytes(range(256)) * 64


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.db"


def write_database(path, *statements):
    with contextlib.closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def refused(path, message, **options):
    """Checks that opening `path` is refused and changes nothing in its folder."""
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    with pytest.raises(RequestError, match=message):
        Store(path, **options)
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


def test_a_fresh_store_has_every_migration_and_the_version(path):
    with Store(path, create=True) as store:
        assert store.runs() == []
    database = Database(path)
    assert {"runs", "epochs", "steps", "layers", "logs", "features"} <= set(database.table_names())
    assert database.execute("PRAGMA user_version").fetchone()[0] == connection.VERSION
    assert not migrations.pending(database)


@pytest.mark.parametrize("create", [False, True])
def test_an_empty_file_is_no_store(path, create):
    path.touch()
    refused(path, "runs.db is empty, and no store of agopconsole; once it is removed", create=create)
    write_database(path, "CREATE TABLE t (x)", "DROP TABLE t")
    refused(path, "is empty", create=create)


def test_nothing_is_left_of_a_store_that_cannot_be_made(path, monkeypatch):
    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(connection, "_migrate", full)
    with pytest.raises(WorkError, match=r"the store .*runs\.db cannot be made: database or disk is full"):
        Store(path, create=True)
    assert list(path.parent.iterdir()) == []


def test_a_store_lies_alone_in_its_folder(path):
    Store(path, create=True).close()
    assert [file.name for file in path.parent.iterdir()] == ["runs.db"]


def test_a_store_is_opened_again_as_it_was(path):
    with Store(path, create=True) as store:
        run_id = add_done(store, 50.0)
    with Store(path, create=True) as store:
        assert store.run(run_id).best_val_accuracy == 50.0


def test_a_missing_store_is_refused_and_not_made(path):
    refused(path, "there is no store at .*runs.db.*--db")


def test_a_missing_folder_is_named(path):
    with pytest.raises(RequestError, match=r"there is no folder .*nowhere"):
        Store(path.parent / "nowhere" / "runs.db", create=True)


def test_a_folder_is_no_store(path):
    path.mkdir()
    with pytest.raises(RequestError, match="not a store that can be used"):
        Store(path)


def unusable(path, words, use):
    """Checks that `use` of an open store fails with words that name it."""
    with pytest.raises(WorkError, match=rf"the store .*runs\.db cannot be used: {words}"), Store(path) as store:
        use(store)


def test_a_store_in_a_folder_that_takes_no_file_is_read_as_it_lies(path, monkeypatch):
    with Store(path, create=True) as store:
        run_id = add_done(store, 50.0)
    monkeypatch.setattr(connection.os, "access", lambda *_: False)  # root may write anywhere
    with Store(path) as store:
        assert store.run(run_id).best_val_accuracy == 50.0
        assert [file.name for file in path.parent.iterdir()] == ["runs.db"]
    unusable(path, "attempt to write a readonly database", lambda store: store.log(run_id, "info", "a line"))


def test_damage_that_shows_late_names_the_store_too(path):
    with Store(path, create=True) as store:
        add_done(store, 50.0)
    whole = path.read_bytes()
    damaged = whole[:4096] + GARBAGE + whole[4096 + len(GARBAGE) :]
    path.write_bytes(damaged)
    unusable(path, "database disk image is malformed", lambda store: store.runs())
    with Store(path) as store:
        assert "page" in store.damage().lower()
    assert path.read_bytes() == damaged


def test_a_full_disk_is_named(path, monkeypatch):
    monkeypatch.setattr(connection.shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    error = sqlite3.OperationalError("disk I/O error")
    assert connection.reason(error, path) == "disk I/O error (there is no room left on the disk)"


def test_a_newer_store_is_refused(path):
    Store(path, create=True).close()
    write_database(path, f"PRAGMA user_version = {connection.VERSION + 1}")
    refused(
        path, f"newer agopconsole .schema {connection.VERSION + 1}, this one knows {connection.VERSION}", create=True
    )


@pytest.mark.parametrize("version", [0, 1, 7])
def test_a_database_of_something_else_is_refused(path, version):
    write_database(path, "CREATE TABLE runs (uuid TEXT)", f"PRAGMA user_version = {version}")
    refused(path, "a database of something else", create=True)


@pytest.mark.parametrize("content", [GARBAGE, b"SQLite format 3\0" + GARBAGE, b"run,accuracy\n1,50\n"])
def test_what_is_no_database_is_refused(path, content):
    path.write_bytes(content)
    refused(path, "not a store that can be used", create=True)


def test_a_truncated_store_is_refused(path):
    with Store(path, create=True) as store:
        add_done(store, 50.0)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refused(path, "malformed", create=True)


def write_version_1(path):
    """Writes a store of the first schema with one queued run; returns the open connection, whose log holds it."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    migrations.apply(Database(database), stop_before="m004_queue")
    database.execute("PRAGMA user_version = 1")
    database.execute(
        "INSERT INTO runs (id, name, study, status, method, init, dataset, model, seed, epochs, spec, lr, batch_size,"
        " created_at, fingerprint) VALUES (7, 'old', '', 'queued', 'normal', 'normal', 'digits', 'vgg11', 0, 20, ?,"
        " 0.001, 64, '2026-11-01', 'abc')",
        (RunSpec.parse({"init": "normal"}).to_json(),),
    )
    return database


def test_a_migration_keeps_a_copy_that_misses_nothing(path):
    # The run lies in the write-ahead log alone for as long as this connection is open.
    with contextlib.closing(write_version_1(path)):
        Store(path).close()
    with contextlib.closing(sqlite3.connect(path.with_name("runs.db.v1.bak"))) as backup:
        assert backup.execute("PRAGMA user_version").fetchone() == (1,)
        assert backup.execute("SELECT id, name FROM runs").fetchall() == [(7, "old")]


def test_a_store_of_the_first_schema_goes_on_where_it_was(path):
    write_version_1(path).close()
    with Store(path) as store:
        run = store.claim(OWNER)
        assert (run.id, run.status, run.pause_requested, run.mirror) == (7, "running", 0, None)
        assert (store.add_runs([RunSpec.parse({})]), store.queue_paused(), store.workers()) == ([8], False, [])


def test_a_store_made_by_many_at_once_is_made_once(path):
    errors = []
    start = threading.Barrier(6)

    def make():
        start.wait()
        try:
            with Store(path, create=True) as store:
                store.add_runs([RunSpec.parse({})])
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            errors.append(error)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with Store(path) as store:
        assert len(store.runs()) == 6


def test_reading_needs_no_sqlite_utils(path):
    with Store(path, create=True) as store:
        add_done(store, 50.0)
    code = (
        "import sys; from pathlib import Path; from agopconsole.store import Store\n"
        "store = Store(Path(sys.argv[1])); run = store.runs()[0]; store.history(run.id); store.studies()\n"
        "print(run.best_val_accuracy)"
    )
    modules, out = loaded_by(code, path)
    assert out == "50.0\n"
    assert not HEAVY & modules


def test_other_tools_can_read_it(path):
    with Store(path, create=True) as store:
        run_id = add_done(store, 50.0, init="normal")
    with contextlib.closing(sqlite3.connect(path)) as database:
        query = "SELECT method, status, val_accuracy FROM runs JOIN epochs ON run_id = runs.id"
        assert database.execute(query).fetchall() == [("normal", "done", 50.0)]
    assert Database(path)["runs"].get(run_id)["best_val_accuracy"] == 50.0


def test_many_writers_and_a_long_reader_never_lock_each_other_out(path):
    with Store(path, create=True) as store:
        ids = [add_done(store, 50.0, seed=seed) for seed in range(4)]
    errors, start = [], threading.Barrier(5)

    def write(run_id):
        try:
            with Store(path) as store:
                start.wait()
                for step in range(60):
                    store.record_steps(run_id, [StepMetrics(step, 1, 0.5, 1.0, 0.1)])
                    store.log(run_id, "info", f"line {step}")
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            errors.append(error)

    threads = [threading.Thread(target=write, args=(run_id,)) for run_id in ids]
    for thread in threads:
        thread.start()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        before = reader.execute("SELECT count(*) FROM steps").fetchone()
        start.wait()
        for thread in threads:
            thread.join()
        assert reader.execute("SELECT count(*) FROM steps").fetchone() == before == (0,)  # its own moment, all along
        reader.execute("COMMIT")
        assert reader.execute("SELECT count(*) FROM steps").fetchone() == (4 * 60,)
    assert errors == []
    with Store(path) as store:
        assert store.damage() is None
        assert [len(store.logs(run_id)) for run_id in ids] == [60] * 4
