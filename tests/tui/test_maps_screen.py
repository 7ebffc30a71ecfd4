"""The maps of a photo in the console: asked for, computed in a process of its own, kept, shown, stopped."""

import json
import os
import sys
import time

import numpy as np
import psutil
import pytest
import torch
from helpers.console import console, press, text, until
from helpers.demo_store import OWNER
from helpers.imports import loaded_by
from helpers.map_files import LAYERS, keep_maps, some_maps
from helpers.processes import TESTS, eventually
from PIL import Image
from rich.color import Color

from agopconsole.backend.checkpoint import save_weights
from agopconsole.backend.models import build_model
from agopconsole.queue import background
from agopconsole.spec import RunSpec
from agopconsole.store import Store
from agopconsole.tui.dialogs import PromptScreen
from agopconsole.tui.frame import screen_text
from agopconsole.tui.map_sheet import MapSheet
from agopconsole.tui.maps_screen import MapsScreen
from agopconsole.tui.preferences import load
from agopconsole.tui.run_screen import RunScreen

SPEC = {"dataset": "digits", "epochs": 2, "seed": 3, "limit": 200, "lr": 0.5}


@pytest.fixture
def store_path(tmp_path):
    """A store with a run that is done and keeps weights, and one that keeps none."""
    with Store(tmp_path / "runs.db", create=True) as store:
        done, bare = store.add_runs([RunSpec.parse(SPEC), RunSpec.parse({**SPEC, "seed": 4})])
        store.claim(OWNER)
        store.finish(done, "done")
        folder = store.run_files(done)
        folder.mkdir(parents=True)
        (folder / "best.safetensors").write_bytes(b"weights")
    assert (done, bare) == (1, 2)
    return tmp_path / "runs.db"


@pytest.fixture
def photo(tmp_path):
    Image.new("RGB", (48, 32), "red").save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """What the command in the place of agopconsole was asked so far."""
    monkeypatch.setattr(background, "PROGRAM", (sys.executable, "-m", "helpers.fake_maps", str(tmp_path)))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]))

    def asked():
        file = tmp_path / "asked.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    return asked


async def open_run(pilot, run_id=1):
    pilot.app.open_screen(RunScreen(run_id))
    await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen) and pilot.app.caught_up)


async def ask_for(pilot, photo):
    """From the run to the question, and answers it."""
    await pilot.press("m")
    await until(pilot, lambda: isinstance(pilot.app.screen, PromptScreen))
    pilot.app.screen.focused.value = str(photo)
    await pilot.press("enter")


def sheet(pilot):
    return pilot.app.screen.query_one(MapSheet)


def shows_maps(pilot):
    return isinstance(pilot.app.screen, MapsScreen) and "photo.png, fed at 48 x 32." in screen_text(pilot.app)


def says(pilot):
    return text(pilot, "#maps-says")


def pixels(pilot, line, x):
    """The upper and the lower pixel of the character at `x` of the sheet."""
    segments = [s for s in sheet(pilot).render_line(line) for _ in s.text]
    assert segments[x].text == "▀"
    return [list(Color.get_truecolor(c)) for c in (segments[x].style.color, segments[x].style.bgcolor)]


async def test_m_asks_for_a_photo_and_shows_what_the_command_makes_of_it(store_path, photo, asked, tmp_path):
    kept = tmp_path / "console.json"
    async with console(store_path, (200, 50), preferences=kept, data=tmp_path / "data") as pilot:
        await open_run(pilot)
        await ask_for(pilot, photo)
        await until(pilot, lambda: shows_maps(pilot))
        [call] = asked()
        arguments = call["arguments"]
        assert arguments[:5] == ["--db", str(store_path), "--data-dir", str(tmp_path / "data"), "maps"]
        assert arguments[5:8] == [str(photo), "--source", "run:1"]
        assert arguments[10:] == ["--seed", "3", "--limit", "200"]  # of the spec what the images depend on, no lr
        assert call["folder"] == str(tmp_path)
        assert (says(pilot), load(kept).photo) == ("", str(photo))
        assert all(f"{layer}  NFM" in screen_text(pilot.app) for layer in LAYERS)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, RunScreen)
        await until(pilot, lambda: "maps-" in text(pilot, "#file-lines"))


async def test_the_pixels_are_the_photos_and_the_maps(store_path, photo):
    keep_maps(store_path.parent / "runs.files" / "run-1" / "maps-0.safetensors", photo)
    async with console(store_path, (120, 40)) as pilot:
        await open_run(pilot)
        await press(pilot, "m")
        await until(pilot, lambda: shows_maps(pilot))
        width, high = sheet(pilot)._width, sheet(pilot)._high
        tensors = some_maps()
        red = np.asarray(Image.fromarray(tensors["photo"][0]).resize((width, 2 * high), Image.Resampling.BOX))
        for line, x in ((0, 0), (3, width // 2), (high - 1, width - 1)):
            for pixel, expected in zip(pixels(pilot, 1 + line, x), red[2 * line : 2 * line + 2, x], strict=True):
                assert np.abs(np.array(pixel) - [255 * expected, 64, 64]).max() <= 2
        down = np.asarray(Image.fromarray(tensors["nfm.features.0"]).resize((width, 2 * high), Image.Resampling.BOX))
        left = 2 * width + 4  # the second pair of the row
        for line in (0, high - 1):
            expected = 255 * down[2 * line : 2 * line + 2, 0]
            assert np.abs(np.array(pixels(pilot, 1 + line, left))[:, 0] - expected).max() <= 2
            opposite = np.array(pixels(pilot, 1 + line, left + width + 1))[:, 0]
            assert np.abs(opposite - (255 - expected)).max() <= 2


async def test_what_is_kept_is_shown_at_once_until_the_checkpoint_is_newer(store_path, photo, asked, tmp_path):
    weights = tmp_path / "runs.files" / "run-1" / "best.safetensors"
    async with console(store_path) as pilot:
        await open_run(pilot)
        await ask_for(pilot, photo)
        await until(pilot, lambda: shows_maps(pilot))
        await press(pilot, "escape", "m")
        await until(pilot, lambda: shows_maps(pilot))  # nothing was asked
        await ask_for(pilot, photo)  # the same photo by its name
        await until(pilot, lambda: shows_maps(pilot) and pilot.app.caught_up)
        assert len(asked()) == 1
        os.utime(weights, (time.time() + 60,) * 2)
        pilot.app.reader.refresh()
        await until(pilot, lambda: "of an older checkpoint: r computes them anew" in text(pilot, "#heading"))
        await pilot.press("r")
        await until(pilot, lambda: len(asked()) == 2)
        await until(pilot, lambda: not says(pilot))
        await press(pilot, "escape")
        await pilot.press("m")
        await until(pilot, lambda: isinstance(pilot.app.screen, PromptScreen))  # newer still than what is kept


async def test_what_is_no_picture_is_told_where_it_is_asked_for(store_path, photo, asked, tmp_path):
    (tmp_path / "words.txt").write_text("words")
    async with console(store_path, (80, 24)) as pilot:
        await open_run(pilot)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(pilot.app.screen, PromptScreen))
        assert pilot.app.screen.focused.value.endswith("china.jpg")  # a photo that is on every machine
        for answer, told in (
            (tmp_path / "gone.png", "there is no file"),
            (tmp_path, "is a folder"),
            (tmp_path / "words.txt", "is no picture that can be read"),
        ):
            pilot.app.screen.focused.value = str(answer)
            await pilot.press("enter")
            await until(pilot, lambda told=told: told in text(pilot, "#refusal"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))  # there is nothing to show
        assert asked() == []


async def test_the_line_of_a_command_that_fails_is_told(store_path, photo, asked, tmp_path):
    (tmp_path / "todo").write_text("fail")
    async with console(store_path, (80, 24)) as pilot:
        await open_run(pilot)
        await ask_for(pilot, photo)
        await until(pilot, lambda: says(pilot) == " ✗ source 'run:1' holds no head")
        (tmp_path / "todo").unlink()
        await ask_for(pilot, photo)
        await until(pilot, lambda: shows_maps(pilot) and not says(pilot))


async def test_progress_is_told_and_escape_stops_it(store_path, photo, asked, tmp_path):
    (tmp_path / "todo").write_text("wait")
    async with console(store_path) as pilot:
        await open_run(pilot)
        await ask_for(pilot, photo)
        await until(pilot, lambda: isinstance(pilot.app.screen, MapsScreen) and "32 of 64 images" in says(pilot))
        assert says(pilot).startswith(" ▶ computing, ")
        await press(pilot, "escape")
        await until(pilot, lambda: not psutil.pid_exists(asked()[0]["pid"]))
        assert isinstance(pilot.app.screen, RunScreen)  # there was nothing else to show


async def test_what_was_shown_stays_when_another_is_stopped(store_path, photo, asked, tmp_path):
    async with console(store_path) as pilot:
        await open_run(pilot)
        await ask_for(pilot, photo)
        await until(pilot, lambda: shows_maps(pilot))
        (tmp_path / "todo").write_text("wait")
        await pilot.press("r")
        await until(pilot, lambda: "32 of 64 images" in says(pilot))
        await press(pilot, "escape")
        await until(pilot, lambda: not psutil.pid_exists(asked()[1]["pid"]))
        assert says(pilot) == " ✗ stopped"
        assert shows_maps(pilot)


async def test_the_process_ends_with_the_console(store_path, photo, asked, tmp_path):
    (tmp_path / "todo").write_text("wait")
    async with console(store_path) as pilot:
        await open_run(pilot)
        await ask_for(pilot, photo)
        await until(pilot, lambda: isinstance(pilot.app.screen, MapsScreen) and "32 of 64 images" in says(pilot))
    eventually(lambda: not psutil.pid_exists(asked()[0]["pid"]))


async def test_a_run_without_a_checkpoint_says_so(store_path, asked):
    async with console(store_path) as pilot:
        await open_run(pilot, 2)
        await pilot.press("m")
        told = "#2 kaiming_uniform s4 keeps no checkpoint whose maps could be shown"
        await until(pilot, lambda: [note.message for note in pilot.app._notifications] == [told])
        assert isinstance(pilot.app.screen, RunScreen)


async def test_a_run_that_still_trains_is_looked_at_by_its_file(store_path, photo, asked, tmp_path):
    weights = tmp_path / "runs.files" / "run-2" / "best.safetensors"
    weights.parent.mkdir()
    weights.write_bytes(b"weights")
    async with console(store_path) as pilot:
        await open_run(pilot, 2)
        await ask_for(pilot, photo)
        await until(pilot, lambda: shows_maps(pilot))
        arguments = asked()[0]["arguments"]
        assert arguments[arguments.index("--source") + 1] == str(weights)


@pytest.mark.parametrize("lacking", ["colours", "unicode"])
async def test_without_colours_or_half_blocks_the_pictures_are_signs(store_path, photo, lacking, monkeypatch):
    if lacking == "colours":
        monkeypatch.setenv("NO_COLOR", "1")
    keep_maps(store_path.parent / "runs.files" / "run-1" / "maps-0.safetensors", photo)
    async with console(store_path, (80, 24), unicode=lacking != "unicode") as pilot:
        await open_run(pilot)
        await press(pilot, "m")
        await until(pilot, lambda: shows_maps(pilot))
        assert "▀" not in screen_text(pilot.app)
        await press(pilot, *["down"] * 10)
        await until(pilot, lambda: sheet(pilot).scroll_y == 10)
        lines = [sheet(pilot).render_line(y).text for y in range(20)]
        first = next(i for i, line in enumerate(lines) if line.startswith("features.0  NFM"))
        drawn = [line[:30] for line in lines[first + 1 : first + 6]]
        assert all(len(set(line)) == 1 for line in drawn)  # the map is the same across
        assert " .:-=+*#%@".index(drawn[0][0]) < " .:-=+*#%@".index(drawn[4][0])  # and brighter further down
        await pilot.press("t")
        await until(pilot, lambda: sheet(pilot).render_line(first + 1).text[0] in "%@")  # dark ink on a light ground


async def test_more_or_fewer_layers_side_by_side(store_path, photo):
    keep_maps(store_path.parent / "runs.files" / "run-1" / "maps-0.safetensors", photo)
    async with console(store_path, (200, 50)) as pilot:
        await open_run(pilot)
        await press(pilot, "m")
        await until(pilot, lambda: shows_maps(pilot))
        heads = lambda: [line for line in screen_text(pilot.app).split("\n") if "NFM" in line and "features" in line]  # noqa: E731
        before = sheet(pilot).virtual_size.height
        assert before <= 46  # all of it is in sight
        await press(pilot, "plus")
        await until(pilot, lambda: sheet(pilot).virtual_size.height > before)
        await press(pilot, "minus", "minus")
        await until(pilot, lambda: max(line.count("NFM") for line in heads()) == 2)
        assert sheet(pilot).virtual_size.height < before


async def test_the_real_command_on_digits(store_path, photo, tmp_path):
    torch.manual_seed(0)
    network = build_model("vgg11", classes=10, image_size=32)
    facts = {"model": "vgg11", "image_size": 32}
    save_weights(tmp_path / "runs.files" / "run-1" / "best.safetensors", network.state_dict(), facts)
    async with console(store_path, (120, 40), data=tmp_path / "data") as pilot:
        await open_run(pilot)
        await ask_for(pilot, photo)
        await until(pilot, lambda: isinstance(pilot.app.screen, MapsScreen) and sheet(pilot)._pairs, 300)
        assert not says(pilot)
        assert [left.name for left, _ in sheet(pilot)._pairs][1:3] == ["features.0", "features.3"]
        assert len(sheet(pilot)._pairs) == 1 + 8


OPEN_AND_SHOW = """
import asyncio, sys
from pathlib import Path
from helpers.console import console, until
from agopconsole.tui.frame import screen_text
from agopconsole.tui.run_screen import RunScreen

async def main():
    async with console(Path(sys.argv[1])) as pilot:
        pilot.app.open_screen(RunScreen(1))
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen) and pilot.app.caught_up)
        await pilot.press("m")
        await until(pilot, lambda: "features.0  NFM" in screen_text(pilot.app))
        print(screen_text(pilot.app))

asyncio.run(main())
"""


def test_the_console_shows_maps_without_torch(store_path, photo, monkeypatch):
    keep_maps(store_path.parent / "runs.files" / "run-1" / "maps-0.safetensors", photo)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")]))
    modules, shown = loaded_by(OPEN_AND_SHOW, str(store_path))
    assert "▀▀▀" in shown
    assert "PIL" in modules
    assert not {"torch", "torchvision", "sklearn"} & modules
