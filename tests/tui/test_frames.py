"""Frames of every state and size against those that were looked at and kept; UPDATE_FRAMES=1 keeps the new ones.

Light and dark differ in colours alone, which test_terminal.py shows, so the frames are text; the colours of the light
theme are kept as well, at one size. What is kept is waited for: no frame depends on how fast a machine gets there.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from helpers.console import console, screen_colours, until
from helpers.console_states import NOW, set_clock_back
from helpers.map_files import keep_maps
from safetensors.numpy import save_file

from agopconsole.spec import RunSpec
from agopconsole.store import Owner, Store, connection
from agopconsole.tui import app, form_screen
from agopconsole.tui.frame import screen_text
from agopconsole.tui.run_screen import RunScreen
from agopconsole.tui.status_bar import StatusBar
from agopconsole.tui.theme import LIGHT

FRAMES = Path(__file__).parent / "frames"
SIZES = ((80, 24), (120, 40), (200, 50))
LIGHT_SIZE = (120, 40)
PATIENCE_SECONDS = 20.0


@pytest.fixture(autouse=True)
def _still(monkeypatch):
    """The clock stands."""
    monkeypatch.setitem(StatusBar.__init__.__kwdefaults__, "now", lambda: NOW)


async def check(pilot, name, sizes=SIZES):
    """The screen against what is kept of it, at each of those sizes, and at one of them its colours in the light."""
    for size in sizes:
        await pilot.resize_terminal(*size)
        if size == LIGHT_SIZE:
            pilot.app.theme = LIGHT.name
            await against(pilot, f"{name}-light", screen_colours)
        await against(pilot, f"{name}-{size[0]}x{size[1]}", screen_text)


async def against(pilot, name, read):
    """What `read` sees of the screen against what is kept under that name."""
    kept = FRAMES / f"{name}.txt"
    if os.environ.get("UPDATE_FRAMES"):
        await pilot.pause(3)
        kept.write_text(f"{read(pilot.app)}\n", encoding="utf-8")
    wanted = kept.read_text(encoding="utf-8")
    try:
        await until(pilot, lambda: f"{read(pilot.app)}\n" == wanted, PATIENCE_SECONDS)
    except TimeoutError:
        assert f"{read(pilot.app)}\n" == wanted  # shows where they differ


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The store in the working directory: a screen may name it."""
    monkeypatch.chdir(tmp_path)
    return Path("runs.db")


@pytest.fixture
def study(demo, here):
    """The study of the demo store while a run of it is trained."""
    with Store(demo) as store:
        set_clock_back(store)
    return here


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("methods", ""),
        ("runs", "g space space"),
        ("remove", "d"),
        ("columns", "v"),
        ("help", "question_mark"),
        ("report", "r"),
    ],
)
async def test_a_study_under_way(study, name, keys):
    async with console(study, SIZES[0]) as pilot:
        await pilot.press(*keys.split())
        await check(pilot, name)


async def test_a_wrong_filter(study):
    """Typed in one go: each part of it would be a filter of its own on a machine too slow for the typist."""
    async with console(study, SIZES[0]) as pilot:
        await pilot.press("slash")
        pilot.app.screen.focused.value = "seed:few lr:0.1"
        await check(pilot, "wrong-filter")


async def test_the_form(study, monkeypatch):
    """Of a few fields: not every field that a spec is given is to change the frame."""
    monkeypatch.setattr(form_screen, "FIELDS", form_screen.FIELDS[:12])
    async with console(study, SIZES[0]) as pilot:
        await pilot.press("n")
        await until(pilot, lambda: len(pilot.app.screen.query("#inputs Input")) == len(form_screen.FIELDS))
        for field, text in {"study": "s", "init": "nfm,kaiming_nfm", "seed": "0-2", "epochs": "5"}.items():
            pilot.app.screen.query_one(f"#field-{field}").value = text
        await check(pilot, "form")
        pilot.app.screen.query_one("#field-init").value = "kaimin_nfm"
        await check(pilot, "wrong-form")


@pytest.mark.parametrize(
    ("name", "run_id", "other"), [("run", 4, 2), ("diverged-run", 6, None), ("queued-run", 17, None)]
)
async def test_a_run_in_full(study, name, run_id, other):
    with Store(study) as store:
        folder = store.run_files(6)
        folder.mkdir(parents=True)
        (folder / "last.pt").write_bytes(bytes(1536))
        store.run_files(4).mkdir()
        weights = np.arange(27 * 27, dtype=np.float32).reshape(27, 3, 3, 3) % 11
        save_file({"features.0.weight": weights}, store.run_files(4) / "best.safetensors")
        set_clock_back(store)
    async with console(study, SIZES[0]) as pilot:
        pilot.app.open_screen(RunScreen(run_id))
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        if other is not None:
            await pilot.press("o")
            await check(pilot, "pick")
            pilot.app.screen.dismiss(other)
        await check(pilot, name)
        if name == "run":
            pilot.app.screen.query_one("#filters").focus()
            await check(pilot, "first-layer", SIZES[:1])


async def test_the_maps_of_a_photo(study):
    with Store(study) as store:
        folder = store.run_files(4)
        layers = [f"features.{i}" for i in (0, 3, 6, 8, 11)]
        keep_maps(folder / "maps-0.safetensors", "/photos/photo.png", layers)
        (folder / "best.safetensors").write_bytes(b"weights")
        set_clock_back(store)
    async with console(study, SIZES[0]) as pilot:
        pilot.app.open_screen(RunScreen(4))
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen) and pilot.app.caught_up)
        await pilot.press("m")
        await check(pilot, "maps")


# What else may be the matter


async def test_an_empty_store(here):
    Store(here, create=True).close()
    async with console(here, SIZES[0]) as pilot:
        await check(pilot, "empty")


async def test_no_worker_for_what_is_queued(here):
    with Store(here, create=True) as store:
        store.add_runs([RunSpec.parse({"init": init}) for init in ("nfm", "kaiming_normal")])
        set_clock_back(store)
    async with console(here, SIZES[0]) as pilot:
        await check(pilot, "no-worker")


async def test_a_worker_that_died_and_the_run_before_its_first_number(here):
    gone = Owner("elsewhere", "boot", 1, 0.0)
    with Store(here, create=True) as store:
        store.add_runs([RunSpec.parse({"init": init}) for init in ("nfm", "kaiming_normal")])
        store.register_worker(gone, devices=("cuda:0",), slots=1)
        store.claim(gone)
        set_clock_back(store)
    async with console(here, SIZES[0]) as pilot:
        await check(pilot, "dead-worker")


async def test_a_store_that_is_gone(study):
    async with console(study, SIZES[0]) as pilot:
        for file in Path().glob("runs.db*"):
            file.unlink()
        await check(pilot, "store-gone")


async def test_a_store_that_is_locked(here, monkeypatch):
    monkeypatch.setattr(app, "_PATIENCE_SECONDS", 0.2)
    Store(here, create=True).close()
    with closing(sqlite3.connect(here, isolation_level=None)) as lock:
        lock.execute("PRAGMA journal_mode = DELETE")
        lock.execute("BEGIN EXCLUSIVE")
        async with console(here, SIZES[0], wait=False) as pilot:
            await check(pilot, "locked")
            lock.execute("ROLLBACK")


async def test_a_store_of_a_newer_version(here, monkeypatch):
    Store(here, create=True).close()
    with closing(sqlite3.connect(here)) as later, later:
        later.execute("PRAGMA user_version = 99")
    monkeypatch.setattr(connection, "VERSION", 9)
    async with console(here, SIZES[0], wait=False) as pilot:
        await check(pilot, "newer-store")
