"""`agopconsole doctor`: what works here and what does not, a line each."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

import typer

import agopconsole
from agopconsole.cli.options import TableFormat
from agopconsole.cli.output import out_look, print_table, print_text
from agopconsole.cli.settings import Settings, settings_of
from agopconsole.errors import AgopconsoleError
from agopconsole.wording import counted


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `broken` is what keeps runs from working, `note` what merely limits them."""

    what: str
    state: Literal["ok", "note", "broken"]
    text: str


def doctor(context: typer.Context, output_format: TableFormat = "table") -> int:
    """Say what works here and what does not."""
    from agopconsole.analysis.tables import Column

    settings = settings_of(context)
    findings = [finding for check in (_torch, _store, _data, _terminal) for finding in _safely(check, settings)]
    if output_format == "table":
        print_text("\n".join(f"{finding.state:6}  {finding.what:8}  {finding.text}" for finding in findings))
    else:
        columns = (Column("what", "what"), Column("state", "state"), Column("text", "finding"))
        print_table([asdict(finding) for finding in findings], columns, output_format)
    return int(any(finding.state == "broken" for finding in findings))


def _safely(check: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    try:
        yield from check(settings)
    except (AgopconsoleError, ImportError, OSError) as error:
        yield Finding(check.__name__.strip("_"), "broken", " ".join(str(error).split()))


def _torch(settings: Settings) -> Iterator[Finding]:  # noqa: ARG001 - as all checks
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.platform()}")
    import torch
    import torchvision

    versions = f"torch {torch.__version__}, torchvision {torchvision.__version__}"
    yield Finding("torch", "ok", f"agopconsole {agopconsole.__version__}, {versions}")
    from agopconsole.backend.devices import describe

    devices = describe()
    for device in devices:
        memory = f", {device['memory'] / 2**30:.0f} GiB" if device["memory"] else ""
        yield Finding("device", "ok", f"{device['device']}: {device['title']}{memory}")
    if all(device["device"] == "cpu" for device in devices):
        yield Finding("device", "note", "no GPU: small data sets and small images train well, 224 px takes days")


def _store(settings: Settings) -> Iterator[Finding]:
    path = settings.db
    if not path.exists():
        folder = path.resolve().parent
        writable = folder.is_dir() and os.access(folder, os.W_OK)
        text = f"{path} is made by the first run" if writable else f"{path} cannot be made: {folder} is not writable"
        yield Finding("store", "ok" if writable else "broken", text)
        return
    from agopconsole.cli.queue_text import queue_line
    from agopconsole.queue.identity import is_alive

    with settings.store() as store:
        damage = store.damage()
        if damage:
            yield Finding("store", "broken", f"{path}: {damage}")
            return
        runs = counted(len(store.runs()), "run")
        yield Finding("store", "ok", f"{path}: {runs}, {store.open_count()} of them still to be worked on")
        line, is_stuck = queue_line(store)
        yield Finding("queue", "note" if is_stuck else "ok", line or "nothing is queued, and there is no worker")
        gone = [run for run in store.running() if not is_alive(run.owner, run.heartbeat_at)]
        if gone:
            runs = counted(len(gone), "running run")
            yield Finding("queue", "note", f"the process of {runs} is gone; the next worker goes on")
    if not os.access(path, os.W_OK):
        yield Finding("store", "broken", f"{path} is not writable")


def _data(settings: Settings) -> Iterator[Finding]:
    from agopconsole.backend.data import status

    rows = status(settings.data)
    here = [row.name for row in rows if row.state != "can be fetched"]
    rest = [row.name for row in rows if row.state == "can be fetched"]
    yield Finding("data", "ok", f"{settings.data}: {', '.join(here)}")
    if rest:
        yield Finding("data", "note", f"not here, fetched when first used: {', '.join(rest)}")


def _terminal(settings: Settings) -> Iterator[Finding]:  # noqa: ARG001 - as all checks
    look = out_look()
    if not sys.stdout.isatty():
        yield Finding("terminal", "note", "standard output is no terminal: no live charts, no console")
        return
    size = os.get_terminal_size(sys.stdout.fileno())
    limits = [text for lacks, text in ((not look.colour, "no colour"), (not look.unicode, "ASCII only")) if lacks]
    text = f"{size.columns} x {size.lines}, TERM={os.environ.get('TERM', '')}, {sys.stdout.encoding}"
    yield Finding("terminal", "note" if limits else "ok", ", ".join([text, *limits]))
