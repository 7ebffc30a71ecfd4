"""Runs as text: all that is known of them as JSON, or their table as CSV or Markdown; and that text as a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from agopconsole.analysis.tables import Column, Look, render, to_json
from agopconsole.errors import RequestError, WorkError
from agopconsole.store import RunRecord, Store
from agopconsole.wording import counted

FORMATS = {".json": "json", ".csv": "csv", ".md": "markdown", ".tex": "latex", ".txt": "table"}


def file_format(path: Path, *, without: Sequence[str] = ()) -> str:
    """The format that the end of a file's name stands for.

    Raises:
        RequestError: if it stands for none.
    """
    check_file(path)
    known = [end for end in FORMATS if end not in without]
    if path.suffix not in known:
        raise RequestError(f"{path.name}: the name ends in none of {', '.join(known)}")
    return FORMATS[path.suffix]


def check_file(path: Path, option: str = "") -> None:
    """Checks that a file can be made there, as far as its folder tells, before there is work done for it.

    Args:
        path: of the file.
        option: the option that names it.

    Raises:
        RequestError: if it is a folder, or there is no folder to put it in.
        WorkError: if the system does not let us write there.
    """
    named = f"{option} '{path}'".lstrip()
    if path.is_dir():
        raise RequestError(f"{named} is a folder; name a file")
    if not path.parent.is_dir():
        raise RequestError(f"{named}: there is no folder {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise WorkError(f"{named}: permission denied")


def export_runs(store: Store, runs: Sequence[RunRecord], path: Path, output_format: str | None = None) -> str:
    """Writes runs to a file; what was written, in words.

    Args:
        store: where they are.
        runs: one or more.
        path: the file.
        output_format: json, csv or markdown; by default what the name's end stands for.

    Raises:
        RequestError: if the name's end is asked and stands for none of these, or no file can be made there.
    """
    output_format = output_format or file_format(path, without=(".tex", ".txt"))
    check_file(path)
    path.write_text(f"{runs_as_text(store, runs, output_format)}\n", encoding="utf-8")
    return f"{counted(len(runs), 'run')} written to {path}"


def runs_as_text(store: Store, runs: Sequence[RunRecord], output_format: str, look: Look | None = None) -> str:
    """Runs as json, csv or markdown, without a newline at the end."""
    rows = [run.summary() for run in runs]
    if output_format != "json":
        return render(rows, [Column(key, key) for key in rows[0]], output_format, look)
    histories = store.histories([run.id for run in runs])
    return to_json(
        [
            {**row, "spec": run.asked, "history": [asdict(epoch) for epoch in histories[run.id]]}
            for row, run in zip(rows, runs, strict=True)
        ],
        look,
    )
