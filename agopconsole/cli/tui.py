"""`agopconsole tui`: the console."""

from __future__ import annotations

import sys
from functools import partial
from typing import Annotated

import typer

from agopconsole.cli.output import out_look, print_text
from agopconsole.cli.settings import settings_of
from agopconsole.errors import RequestError


def tui(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="print one frame as text and end")] = False,
    size: Annotated[str, typer.Option(metavar="COLUMNSxLINES", help="of that frame [120x40]")] = "120x40",
    worker: Annotated[
        bool,
        typer.Option(
            envvar="AGOPCONSOLE_TUI_WORKER",
            help="start a worker whenever there is none; it goes on when the console is closed, and ends once the"
            " queue has been empty for 10 minutes",
        ),
    ] = True,
) -> None:
    """Runs and charts on one screen.

    Where there is no store yet, it makes one.
    """
    # Textual draws on standard error: sent to a file, it would leave the screen blank.
    if not once and not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise RequestError("the console needs a terminal; --once, `runs list` and `report` do without")
    from agopconsole.tui import one_frame, run_tui

    settings = settings_of(context)
    with settings.store(create=not once):  # says what is wrong with it while there is no screen in the way
        pass
    if once:
        print_text(one_frame(settings.db, size, unicode=out_look().unicode))
    elif worker:
        from agopconsole.queue.background import ensure_worker

        run_tui(settings.db, data=settings.data, start_worker=partial(ensure_worker, data=settings.data))
    else:
        run_tui(settings.db, data=settings.data)
