"""`agopconsole tui`: the console."""

from __future__ import annotations

import sys

import typer

from agopconsole.cli.settings import settings_of
from agopconsole.errors import RequestError


def tui(context: typer.Context) -> None:
    """Runs and charts on one screen."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise RequestError("the console needs a terminal; `runs list` and `report` do without")
    from agopconsole.tui import run_tui

    settings = settings_of(context)
    with settings.store():  # says what is wrong with it while there is no screen in the way
        pass
    run_tui(settings.db)
