"""How a run reads in one line, and as a row of a table."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from agopconsole.analysis.tables import Column, Row, number
from agopconsole.metrics import EpochMetrics
from agopconsole.spec import SOURCE_NAME
from agopconsole.store import RunRecord

_LONGEST_REASON = 60
"""Characters of a table that the reason of a failure may take; `runs show` has the whole of it."""

_RUN_COLUMNS = (
    Column("id", "id", "right"),
    Column("study", "study"),
    Column("status", "status"),
    Column("method", "method", text=lambda row: _method(row)),
    Column("dataset", "data set"),
    Column("model", "model"),
    Column("seed", "seed", "right"),
    Column("epoch", "epoch", "right", lambda row: f"{row['epoch']}/{row['epochs']}"),
    number("best_val_accuracy", "best %"),
    number("loss_gap", "gap", 3),
    Column("flags", "beware", text=lambda row: _beware(row), style=lambda _: "red"),
)
START_COLUMNS = (
    Column("layer", "layer"),
    Column("c_out", "filters", "right"),
    Column("dim", "length", "right"),
    Column("weight_variance", "variance / Kaiming", "right"),
    Column("output_mean_square", "outputs, mean square", "right"),
    Column("common_mode", "m'Sm / isotropic", "right"),
    Column("between_share", "between images", "right"),
    Column("participation_ratio", "participation ratio", "right"),
    Column("gradient_ratio", "gradient / weights", "right"),
)
ANSATZ_COLUMNS = (
    Column("layer", "layer"),
    number("nfm_agop", "NFM~AGOP", 3),
    number("start_nfm_agop", "at start", 3),
    number("nfm_agop_sqrt", "NFM~AGOP^1/2", 3),
    number("start_nfm_agop_sqrt", "at start", 3),
    number("nfm_initial_nfm", "NFM~initial NFM", 3),
    number("start_nfm_initial_nfm", "at start", 3),
)
RUN_ANSATZ_COLUMNS = (
    Column("epoch", "epoch", "right"),
    *(c for c in ANSATZ_COLUMNS if not c.key.startswith("start_")),
)
HISTORY_COLUMNS = (
    Column("epoch", "epoch", "right"),
    number("train_loss", "train loss", 3),
    number("train_accuracy", "train %"),
    number("val_loss", "val loss", 3),
    number("val_accuracy", "val %"),
    number("loss_gap", "loss gap", 3),
    number("seconds", "seconds", 1),
    number("images_per_second", "images/s", 0),
)
LOG_COLUMNS = (Column("time", "time"), Column("level", "level"), Column("message", "message"))


def run_columns(rows: Sequence[Row]) -> list[Column]:
    """The columns of a table of runs; the study and what to beware of only where there is any."""
    empty = [c for c in _RUN_COLUMNS if c.key in ("study", "flags") and not any(c.cell(row) for row in rows)]
    return [column for column in _RUN_COLUMNS if column not in empty]


def _method(row: Row) -> str:
    """The method, and of a run that trains a source for others what it is."""
    return f"{row['method']} ({row['name']})" if row["name"].startswith(SOURCE_NAME) else row["method"]


def _beware(row: Row) -> str:
    """The flags in words and, where they do not say it already, how the reason of a failure begins."""
    words = [flag.replace("_", " ") for flag in row["flags"]]
    if row["error"] and "diverged" not in row["flags"]:
        words.append(textwrap.shorten(row["error"], _LONGEST_REASON, placeholder="…"))
    return ", ".join(words)


def epoch_line(run: RunRecord, epoch: EpochMetrics) -> str:
    """One epoch of a run."""
    return (
        f"{run.title}  epoch {epoch.epoch}/{run.epochs}  train {epoch.train_loss:.2f} {epoch.train_accuracy:.1f} %"
        f"  val {epoch.val_loss:.2f} {epoch.val_accuracy:.1f} %  gap {epoch.loss_gap:+.2f}"
        f"  {epoch.images_per_second:.0f} images/s"
    )


def status_line(run: RunRecord) -> str:
    """Where a run stands, and what came of it."""
    parts = [f"{run.title}  {'started' if run.status == 'running' else run.status}"]
    if run.error:
        parts.append(f": {run.error}")
    elif run.status == "done" and run.best_val_accuracy is not None:
        parts.append(f": best val {run.best_val_accuracy:.2f} % in epoch {run.best_epoch}")
        if run.test_accuracy is not None:
            parts.append(f", test {run.test_accuracy:.2f} %")
    elif run.status == "running" and run.device:
        parts.append(f" on {run.device}")
    if run.at_chance:
        parts.append(" (stayed at chance)")
    return "".join(parts)


def describe(run: RunRecord) -> str:
    """All of a run but its tables, a line each: where it stands, what was asked for, what ran."""
    facts = {
        "name": run.name,
        "created": run.created_at,
        "started": run.started_at,
        "ended": run.ended_at,
        "attempts": run.attempts,
        "on finish": run.on_finish,
        "source run": f"#{run.source_run}" if run.source_run else None,
        "asked for": ", ".join(
            f"{name}={value}" for name, value in run.chosen.items() if name not in ("name", "study")
        ),
        "study": run.study,
        **run.provenance(),
    }
    lines = [f"{name.replace('_', ' ')}: {value}" for name, value in facts.items() if value not in (None, "")]
    return "\n".join([status_line(run), *lines])
