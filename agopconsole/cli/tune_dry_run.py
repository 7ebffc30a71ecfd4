"""What a search would do, without doing it: its trials by method, what is searched, and how long the rest takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agopconsole.analysis.tables import Column
from agopconsole.cli.dry_run import field_column, paces_of, setting, source_in_words, time_as_dict, varied_fields
from agopconsole.cli.output import out_look, print_json, print_table, print_text
from agopconsole.tuning import Span, cells, trial_seed
from agopconsole.wording import counted

if TYPE_CHECKING:
    from agopconsole.analysis.estimate import Estimate
    from agopconsole.spec import RunSpec
    from agopconsole.store import Store
    from agopconsole.study import Study


def print_tune_dry_run(store: Store | None, study: Study, trials: int, storage: Path, output_format: str) -> None:
    """Prints what tuning the methods of a study would mean.

    Args:
        store: where the trials would go; None if it is still to be made.
        study: the study.
        trials: of each method.
        storage: Optuna's file, which may not be there.
        output_format: one of `tables.FORMATS`.
    """
    from agopconsole.queue.plan import plan
    from agopconsole.queue.tuner import begun_trials, storage_url, trial_spec

    searched = cells(study.runs, study.tuning)
    begun = begun_trials(storage_url(storage), study, searched) if storage.exists() else [0] * len(searched)
    left = [max(0, trials - count) for count in begun]
    seed = trial_seed(study.runs)
    asked = [trial_spec(study, cell, seed, {}) for cell, count in zip(searched, left, strict=True) if count]
    runs = [run for run, count in zip(asked, filter(None, left), strict=True) for _ in range(count)]
    sources = plan(store, asked).sources
    found = paces_of(store).estimate([*sources, *runs])
    varied = [name for name in varied_fields(searched) if name not in study.tuning.spans]
    rows = [
        {
            "dataset": cell.dataset,
            "method": cell.label,
            **{name: setting(cell, name) for name in varied},
            "own": _is_own_tried(study, cell),
            "begun": done,
            "left": to_do,
        }
        for cell, done, to_do in zip(searched, begun, left, strict=True)
    ]
    compared = len(searched) * len({run.seed for run in study.runs})
    if output_format == "json":
        print_json(_as_dict(study, trials, rows, sources, found, compared))
        return
    columns = [Column("dataset", "data set"), Column("method", "method"), *(field_column(name) for name in varied)]
    columns += [
        Column("own", "own settings first"),
        Column("begun", "done or on their way", "right"),
        Column("left", "to train", "right"),
    ]
    print_table(rows, columns, output_format)
    if output_format != "csv":
        words = _in_words(study, trials, rows, sources, found, compared)
        print_text("\n".join(["", *map(out_look().fit, words)]))


def _is_own_tried(study: Study, cell: RunSpec) -> bool:
    """Whether the study's own settings of a method lie within what is searched, and so are tried first."""
    return all(span.holds(getattr(cell, name)) for name, span in study.tuning.spans.items())


def _in_words(
    study: Study,
    trials: int,
    rows: Sequence[Mapping[str, Any]],
    sources: Sequence[RunSpec],
    found: Estimate,
    compared: int,
) -> list[str]:
    begun, left = (sum(row[name] for row in rows) for name in ("begun", "left"))
    sizes = f"{counted(len(rows), 'method')} x {counted(trials, 'trial')}"
    pruned = "; trials that do badly end early" if left and found.seconds is not None else ""
    return [
        f"study {study.name}: {sizes}, {begun:,} done or on their way, {left:,} to train",
        f"searched: {', '.join(_span(name, span) for name, span in study.tuning.spans.items())}",
        *(f"a source to be trained first: {source_in_words(source)}" for source in sources),
        f"time, one run after another: {found}{pruned}",
        f"the comparison after it: {counted(compared, 'run')} more",
    ]


def _span(name: str, span: Span) -> str:
    return f"{name} from {span.low:g} to {span.high:g}{' by factors' if span.logarithmic else ''}"


def _as_dict(
    study: Study,
    trials: int,
    rows: Sequence[Mapping[str, Any]],
    sources: Sequence[RunSpec],
    found: Estimate,
    compared: int,
) -> dict[str, Any]:
    return {
        "study": study.name,
        "trials": trials,
        "searched": {name: [span.low, span.high] for name, span in study.tuning.spans.items()},
        "missing": sum(row["left"] for row in rows),
        "compared": compared,
        **time_as_dict(sources, found),
        "rows": list(rows),
    }
