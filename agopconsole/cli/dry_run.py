"""What a study would do, without doing it: its runs by method, what is done, and how long the rest takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from agopconsole.analysis.tables import Column
from agopconsole.cli.output import out_look, print_json, print_table, print_text
from agopconsole.wording import counted

if TYPE_CHECKING:
    from agopconsole.analysis.estimate import Estimate, Paces
    from agopconsole.queue.plan import Plan
    from agopconsole.spec import RunSpec
    from agopconsole.store import RunRecord, Store
    from agopconsole.study import Study

_COLUMNS = {
    "runs": Column("runs", "runs", "right"),
    "done": Column("done", "done", "right"),
    "diverged": Column("diverged", "diverged", "right"),
    "under_way": Column("under_way", "on their way", "right"),
    "lost": Column("lost", "source diverged", "right"),
    "missing": Column("missing", "to train", "right"),
}
_ALWAYS = ("runs", "done", "missing")
_OF_METHOD = ("init", "features", "scale", "basis", "layers", "agop_power", "round")
_SAID = ("dataset", "seed", "name", "study", "device", *_OF_METHOD)
"""Fields that the columns of every table say already, or that say nothing of the numbers."""


def print_dry_run(store: Store | None, study: Study, output_format: str) -> None:
    """Prints what training a study would mean.

    Args:
        store: where its runs would go; None if it is still to be made.
        study: the study.
        output_format: one of `tables.FORMATS`.
    """
    from agopconsole.queue.plan import plan

    planned = plan(store, study.runs)
    found = paces_of(store).estimate([*planned.sources, *planned.missing])
    rows, varied = _rows(planned)
    if output_format == "json":
        print_json(_as_dict(study, planned, found, rows))
        return
    columns = [Column("dataset", "data set"), Column("method", "method"), *(field_column(name) for name in varied)]
    columns += [c for key, c in _COLUMNS.items() if key in _ALWAYS or any(row[key] for row in rows)]
    print_table(rows, columns, output_format)
    if output_format != "csv":
        print_text("\n".join(["", *map(out_look().fit, _in_words(study, planned, found))]))


def paces_of(store: Store | None) -> Paces:
    """What the store, where there is one, tells about speed on this machine."""
    from agopconsole.analysis.estimate import Paces, read_paces
    from agopconsole.queue.machine import this_machine

    return read_paces(store, this_machine()) if store else Paces([], {}, this_machine())


def field_column(name: str) -> Column:
    """The column of a field of the spec."""
    return Column(name, name.replace("_", " "))


def _rows(planned: Plan) -> tuple[list[dict[str, Any]], list[str]]:
    """A row for each method under one recipe on one data set, and the fields that tell rows of a method apart."""
    varied = varied_fields(planned.specs)
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    lost = set(planned.lost)
    for spec, run in zip(planned.specs, planned.found, strict=True):
        settings = {name: setting(spec, name) for name in varied}
        key = (spec.dataset, spec.label, *settings.values())
        counts = dict.fromkeys(_COLUMNS, 0)
        row = rows.setdefault(key, {"dataset": spec.dataset, "method": spec.label, **settings, **counts})
        row["runs"] += 1
        row["lost" if spec in lost else _state(run)] += 1
    return list(rows.values()), varied


def _state(run: RunRecord | None) -> str:
    if run is None:
        return "missing"
    return "diverged" if run.diverged else "done" if run.status == "done" else "under_way"


def varied_fields(specs: Sequence[RunSpec]) -> list[str]:
    """The fields that differ between runs beside those that seed, data set and method say already."""
    names = [f.name for f in fields(specs[0]) if f.name not in _SAID]
    return [name for name in names if len({setting(spec, name) for spec in specs} - {None}) > 1]


def setting(spec: RunSpec, name: str) -> Any:
    """What a field says of a run; None where it plays no part in it."""
    if name.startswith("agop_"):
        concerns = spec.method.features == "agop"
    else:
        concerns = spec.method.needs_source or not (name.startswith("source") or name == "fallback")
    return getattr(spec, name) if concerns else None


def _in_words(study: Study, planned: Plan, found: Estimate) -> list[str]:
    runs, known, missing = counted(len(planned.specs), "run"), len(planned.known), len(planned.missing)
    lines = [f"study {study.name}: {runs}, {known} done or on their way, {missing} to train"]
    lines += [f"a source to be trained first: {source_in_words(source)}" for source in planned.sources]
    return [*lines, f"time, one run after another: {found}"]


def source_in_words(spec: RunSpec) -> str:
    """A run that is to train a source."""
    classes = f", classes {spec.classes}" if spec.classes else ""
    return f"{spec.model} on {spec.dataset}{classes}, {counted(spec.epochs, 'epoch')} ({spec.label})"


def _as_dict(study: Study, planned: Plan, found: Estimate, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "study": study.name,
        "runs": len(planned.specs),
        "missing": len(planned.missing),
        **time_as_dict(planned.sources, found),
        "rows": list(rows),
    }


def time_as_dict(sources: Sequence[RunSpec], found: Estimate) -> dict[str, Any]:
    """The sources to be trained first, and how long it all takes, as part of a JSON object."""
    return {
        "sources": [
            {"model": s.model, "dataset": s.dataset, "classes": s.classes, "epochs": s.epochs} for s in sources
        ],
        "seconds": found.seconds,
        "seconds_known_of": found.known,
        "unknown": dict(found.unknown),
        "measured_on": {"here": dict(found.here), "elsewhere": dict(found.elsewhere)},
        "never_trained_on": list(found.lacking),
    }
