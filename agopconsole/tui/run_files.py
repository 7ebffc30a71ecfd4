"""The files of a run, its checkpoints among them: what lies in its folder, how large, and since when."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.text import Text

from agopconsole.analysis.colours import GREY
from agopconsole.tui.words import file_size, moment


@dataclass(frozen=True, slots=True)
class RunFile:
    """One file: its name, its size in bytes, and when it was written last (UTC, ISO 8601)."""

    name: str
    size: int
    written_at: str


def list_files(folder: Path) -> tuple[RunFile, ...]:
    """The files of a run's folder by name; none if there is no folder yet, or no more."""
    found = []
    with contextlib.suppress(OSError):
        for path in sorted(folder.iterdir()):
            with contextlib.suppress(OSError):  # one that is renamed into place as we look
                facts = path.stat()
                written = datetime.fromtimestamp(facts.st_mtime, UTC).isoformat(timespec="milliseconds")
                found.append(RunFile(path.name, facts.st_size, written))
    return tuple(found)


def files_text(files: Sequence[RunFile]) -> Text:
    """A line a file: name, size, date."""
    if not files:
        return Text("no checkpoint here", GREY)
    names = max(len(file.name) for file in files)
    lines = [
        Text.assemble(f"{file.name:<{names}}  {file_size(file.size):>8}  ", (moment(file.written_at)[:-3], GREY))
        for file in files
    ]
    return Text("\n").join(lines)
