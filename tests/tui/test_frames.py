"""Frames of every state and size against those that were looked at and kept; UPDATE_FRAMES=1 keeps the new ones.

Light and dark differ in colours alone, which test_terminal.py shows, so the frames are text.
"""

import os
from pathlib import Path

import pytest
from helpers.console import console, until

from agopconsole.store import Store
from agopconsole.tui.frame import screen_text

FRAMES = Path(__file__).parent / "frames"
SIZES = ((80, 24), (120, 40), (200, 50))


def check(name, shown):
    kept = FRAMES / f"{name}.txt"
    if os.environ.get("UPDATE_FRAMES"):
        FRAMES.mkdir(exist_ok=True)
        kept.write_text(f"{shown}\n", encoding="utf-8")
    assert f"{shown}\n" == kept.read_text(encoding="utf-8")


async def frame(path, size, *keys, typed=""):
    async with console(path, size) as pilot:
        await until(pilot, lambda: pilot.app.settled)
        for key in keys:
            await pilot.press(key)
        if typed:
            pilot.app.screen.focused.value = typed
        for _ in range(4):  # what a key asks for may begin only some messages later
            await pilot.pause(0.1)
            await until(pilot, lambda: pilot.app.settled)
        return screen_text(pilot.app)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("methods", ()),
        ("runs", ("g", "space", "space")),
        ("remove", ("d",)),
        ("columns", ("v",)),
    ],
)
async def test_a_study_under_way(demo, name, keys, size):
    with Store(demo) as store:
        store.heartbeat([16])
    check(f"{name}-{size[0]}x{size[1]}", await frame(demo, size, *keys))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_wrong_filter(demo, size):
    """Typed in one go: each part of it would be a filter of its own on a machine too slow for the typist."""
    with Store(demo) as store:
        store.heartbeat([16])
    check(f"wrong-filter-{size[0]}x{size[1]}", await frame(demo, size, "slash", typed="seed:few lr:0.1"))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_an_empty_store(tmp_path, size, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a screen without runs names its store
    Store(Path("runs.db"), create=True).close()
    check(f"empty-{size[0]}x{size[1]}", await frame(Path("runs.db"), size))
