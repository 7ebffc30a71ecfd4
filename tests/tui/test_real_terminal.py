"""The console in a terminal: a run is queued in the form, its chart grows, it is cancelled, no process is left."""

import re
from dataclasses import fields

from helpers.processes import eventually, processes_in, start
from helpers.screen import Screen

from agopconsole.spec import RunSpec
from agopconsole.store import Store
from agopconsole.tui.form import FIELDS

HELP = {field.name: field.metadata["help"] for field in fields(RunSpec)}


def go_to(screen, field, now):
    """Goes from one field of the form to another, and waits until the screen says what that one is."""
    by = FIELDS.index(field) - FIELDS.index(now)
    screen.press(*["down" if by > 0 else "up"] * abs(by))
    screen.sees(HELP[field])


def last_epoch(shown):
    """The last epoch on the axis of a chart."""
    return max(map(int, re.findall(r"epoch (\d+)", shown)), default=0)


def test_a_run_is_queued_watched_and_cancelled(tmp_path):
    Store(tmp_path / "runs.db", create=True).close()
    worker = start(["worker"], tmp_path, fake=False)
    screen = Screen(["tui"], tmp_path, fake=False)
    try:
        screen.sees("There are no runs")
        screen.press("n")
        screen.sees(HELP["init"])
        go_to(screen, "limit", now="init")
        screen.press("64")
        screen.sees("--limit 64 --queue")
        go_to(screen, "epochs", now="limit")
        screen.press("5000")
        screen.sees("--epochs 5000 --limit 64 --queue")
        screen.press("f2")
        screen.sees("queued #1")
        first = last_epoch(screen.sees(lambda shown: "/5000" in shown and last_epoch(shown) > 1, 120))
        screen.sees(lambda shown: last_epoch(shown) > first)
        screen.press("c")
        screen.sees("cancelled")
        with Store(tmp_path / "runs.db") as store:
            eventually(lambda: store.run(1).status == "cancelled", 60)
        screen.press("q")
        assert screen.finish() == 0
    finally:
        worker.terminate()
        worker.communicate(timeout=60)
    eventually(lambda: not processes_in(tmp_path), 60)
