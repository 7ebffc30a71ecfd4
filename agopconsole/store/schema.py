"""The tables of runs.db and their migrations.

Each migration is one function; sqlite-utils keeps the set of those applied in the file itself. A migration that is
added here raises `connection.VERSION`, by which a light command tells an up-to-date store without sqlite-utils.
"""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.db import DescIndex, ForeignKey, Table
from sqlite_utils.migrations import Migrations

migrations = Migrations("agopconsole")


def _table(db: Database, name: str) -> Table:
    table = db[name]
    assert isinstance(table, Table)
    return table


def _of_run(table: str) -> ForeignKey:
    return ForeignKey(table, "run_id", "runs", "id", on_delete="CASCADE")


@migrations()
def m001_runs(db: Database) -> None:
    """Runs, with a real column for whatever one filters or sorts by; `spec` is the whole request as JSON."""
    runs = _table(db, "runs")
    runs.create(
        {
            "id": int,
            "name": str,
            "study": str,
            "status": str,
            "method": str,
            "twin": str,
            "init": str,
            "dataset": str,
            "model": str,
            "source": str,
            "seed": int,
            "epochs": int,
            "batch_size": int,
            "lr": float,
            "epoch": int,
            "best_epoch": int,
            "best_val_accuracy": float,
            "final_val_accuracy": float,
            "test_accuracy": float,
            "loss_gap": float,
            "poster_loss_gap": float,
            "diverged": int,
            "at_chance": int,
            "error": str,
            "attempts": int,
            "deaths": int,
            "priority": int,
            "source_run": int,
            "cancel_requested": int,
            "created_at": str,
            "started_at": str,
            "ended_at": str,
            "host": str,
            "boot_id": str,
            "pid": int,
            "pid_started": float,
            "heartbeat_at": str,
            "device": str,
            "data_origin": str,
            "environment": str,
            "fingerprint": str,
            "spec": str,
        },
        pk="id",
        not_null={"name", "study", "status", "method", "init", "dataset", "model", "seed", "epochs", "spec"},
        defaults={
            "epoch": 0,
            "diverged": 0,
            "at_chance": 0,
            "attempts": 0,
            "deaths": 0,
            "priority": 0,
            "cancel_requested": 0,
        },
        foreign_keys=[ForeignKey("runs", "source_run", "runs", "id")],
    )
    runs.create_index(["status", "priority", "id"])
    runs.create_index(["study"])
    runs.create_index(["fingerprint"])
    runs.create_index(["source_run"])


@migrations()
def m002_metrics(db: Database) -> None:
    """Epochs, thinned steps, the layers' start, and the log of each run."""
    _table(db, "epochs").create(
        {
            "run_id": int,
            "epoch": int,
            "step": int,
            "train_loss": float,
            "train_accuracy": float,
            "fixed_train_loss": float,
            "fixed_train_accuracy": float,
            "val_loss": float,
            "val_accuracy": float,
            "loss_gap": float,
            "poster_loss_gap": float,
            "gradient_norm": float,
            "learning_rate": float,
            "seconds": float,
            "images_per_second": float,
        },
        pk=("run_id", "epoch"),
        foreign_keys=[_of_run("epochs")],
    )
    _table(db, "steps").create(
        {
            "run_id": int,
            "step": int,
            "epoch": int,
            "loss": float,
            "gradient_norm": float,
            "learning_rate": float,
        },
        pk=("run_id", "step"),
        foreign_keys=[_of_run("steps")],
    )
    _table(db, "layers").create(
        {
            "run_id": int,
            "position": int,
            "layer": str,
            "c_out": int,
            "dim": int,
            "weight_variance": float,
            "output_mean_square": float,
            "common_mode": float,
            "between_share": float,
            "participation_ratio": float,
            "gradient_ratio": float,
        },
        pk=("run_id", "position"),
        foreign_keys=[_of_run("layers")],
    )
    _table(db, "logs").create(
        {"id": int, "run_id": int, "time": str, "level": str, "message": str},
        pk="id",
        foreign_keys=[_of_run("logs")],
    )
    _table(db, "logs").create_index(["run_id", "id"])


@migrations()
def m003_features(db: Database) -> None:
    """Feature matrices that were extracted from a source: what they were computed from, and the file they lie in."""
    _table(db, "features").create(
        {
            "key": str,
            "kind": str,
            "source": str,
            "model": str,
            "dataset": str,
            "images": int,
            "outputs": str,
            "relative_error": float,
            "layers": int,
            "seconds": float,
            "file": str,
            "created_at": str,
        },
        pk="key",
    )


@migrations()
def m004_queue(db: Database) -> None:
    """What a user asks of queued runs, the code that queued and started each, and the workers that are alive."""
    runs = _table(db, "runs")
    runs.add_column("pause_requested", int, not_null_default=0)
    runs.add_column("micro_batch", int)
    runs.add_column("begun", int, not_null_default=0)
    runs.add_column("mirror", str)
    runs.add_column("on_finish", str)
    runs.add_column("on_finish_due", int, not_null_default=0)
    runs.add_column("queued_code", str)
    runs.add_column("started_code", str)
    # In the order of a claim, which the index of before left to be sorted.
    runs.drop_index("idx_runs_status_priority_id")
    runs.create_index(["status", DescIndex("priority"), "id"])
    db.execute('CREATE INDEX "idx_runs_on_finish_due" ON "runs" ("id") WHERE "on_finish_due"')
    _table(db, "queue").create({"id": int, "paused": int, "last_id": int}, pk="id").insert(
        {"id": 1, "paused": 0, "last_id": 0}
    )
    _table(db, "workers").create(
        {
            "id": int,
            "host": str,
            "boot_id": str,
            "pid": int,
            "pid_started": float,
            "started_at": str,
            "heartbeat_at": str,
            "devices": str,
            "slots": int,
        },
        pk="id",
    )
    _table(db, "workers").create_index(["host", "boot_id", "pid", "pid_started"], unique=True)


@migrations()
def m005_ansatz(db: Database) -> None:
    """Correlations of NFM and AGOP while a run trains, a row for each matrix and measured epoch; 0 is the start."""
    _table(db, "ansatz").create(
        {
            "run_id": int,
            "epoch": int,
            "position": int,
            "layer": str,
            "nfm_agop": float,
            "nfm_agop_sqrt": float,
            "nfm_initial_nfm": float,
        },
        pk=("run_id", "epoch", "position"),
        foreign_keys=[_of_run("ansatz")],
    )


@migrations()
def m006_studies(db: Database) -> None:
    """What each study said of itself when its runs were asked for last, its file's text included."""
    _table(db, "studies").create(
        {"name": str, "description": str, "baseline": str, "text": str, "recorded_at": str},
        pk="name",
        not_null={"description", "baseline", "text", "recorded_at"},
    )
