"""Runs as a file: all that is known of them as JSON, or their table as CSV or Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from agopconsole.analysis.tables import Column, render, to_json
from agopconsole.errors import RequestError
from agopconsole.store import RunRecord, Store
from agopconsole.wording import counted

FORMATS = {".json": "json", ".csv": "csv", ".md": "markdown", ".tex": "latex", ".txt": "table"}


def file_format(path: Path, *, without: Sequence[str] = ()) -> str:
    """The format that the end of a file's name stands for.

    Raises:
        RequestError: if it stands for none.
    """
    known = [end for end in FORMATS if end not in without]
    if path.suffix not in known:
        raise RequestError(f"{path.name}: the name ends in none of {', '.join(known)}")
    return FORMATS[path.suffix]


def export_runs(store: Store, runs: Sequence[RunRecord], path: Path, output_format: str | None = None) -> str:
    """Writes runs to a file; what was written, in words.

    Args:
        store: where they are.
        runs: one or more.
        path: the file.
        output_format: json, csv or markdown; by default what the name's end stands for.

    Raises:
        RequestError: if the name's end is asked and stands for none of these.
    """
    output_format = output_format or file_format(path, without=(".tex", ".txt"))
    rows = [run.summary() for run in runs]
    if output_format == "json":
        histories = store.histories([run.id for run in runs])
        text = to_json(
            [
                {**row, "spec": asdict(run.request), "history": [asdict(epoch) for epoch in histories[run.id]]}
                for row, run in zip(rows, runs, strict=True)
            ]
        )
    else:
        text = render(rows, [Column(key, key) for key in rows[0]], output_format)
    path.write_text(f"{text}\n", encoding="utf-8")
    return f"{counted(len(runs), 'run')} written to {path}"
