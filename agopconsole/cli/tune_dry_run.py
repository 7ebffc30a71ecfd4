"""What a search would do, without doing it: its trials by method, what is searched, and how long the rest takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    outlook = _Outlook(study, trials, rows, sources, found, len(searched) * len({run.seed for run in study.runs}))
    if output_format == "json":
        print_json(outlook.as_dict())
        return
    columns = [Column("dataset", "data set"), Column("method", "method"), *(field_column(name) for name in varied)]
    columns += [
        Column("own", "own settings first"),
        Column("begun", "done or on their way", "right"),
        Column("left", "to train", "right"),
    ]
    print_table(rows, columns, output_format)
    if output_format != "csv":
        print_text("\n".join(["", *map(out_look().fit, outlook.in_words())]))


def _is_own_tried(study: Study, cell: RunSpec) -> bool:
    """Whether the study's own settings of a method lie within what is searched, and so are tried first."""
    return all(span.holds(getattr(cell, name)) for name, span in study.tuning.spans.items())


@dataclass(frozen=True, slots=True)
class _Outlook:
    """What is ahead of a search.

    Attributes:
        study: whose methods are tuned.
        trials: of each method.
        rows: of the table, one a method.
        sources: runs that must be trained first.
        found: how long the trials take.
        compared: runs of the comparison after it.
    """

    study: Study
    trials: int
    rows: Sequence[Mapping[str, Any]]
    sources: Sequence[RunSpec]
    found: Estimate
    compared: int

    @property
    def _spans(self) -> Mapping[str, Span]:
        return self.study.tuning.spans

    @property
    def _left(self) -> int:
        return sum(row["left"] for row in self.rows)

    def in_words(self) -> list[str]:
        """A line for each thing to know."""
        begun, left = sum(row["begun"] for row in self.rows), self._left
        sizes = f"{counted(len(self.rows), 'method')} x {counted(self.trials, 'trial')}"
        pruned = "; trials that do badly end early" if left and self.found.seconds is not None else ""
        return [
            f"study {self.study.name}: {sizes}, {begun:,} done or on their way, {left:,} to train",
            f"searched: {', '.join(_span(name, span) for name, span in self._spans.items())}",
            *(f"a source to be trained first: {source_in_words(source)}" for source in self.sources),
            f"time, one run after another: {self.found}{pruned}",
            f"the comparison after it: {counted(self.compared, 'run')} more",
        ]

    def as_dict(self) -> dict[str, Any]:
        """The same as a JSON object, with the rows."""
        return {
            "study": self.study.name,
            "trials": self.trials,
            "searched": {name: [span.low, span.high] for name, span in self._spans.items()},
            "missing": self._left,
            "compared": self.compared,
            **time_as_dict(self.sources, self.found),
            "rows": list(self.rows),
        }


def _span(name: str, span: Span) -> str:
    return f"{name} from {span.low:g} to {span.high:g}{' by factors' if span.logarithmic else ''}"
