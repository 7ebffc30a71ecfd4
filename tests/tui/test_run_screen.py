"""One run in full: its parts at every size, the run it is compared with, its log, its files."""

import json
import re
import shutil

import numpy as np
import pytest
from helpers.console import console, press, text, until
from helpers.demo_store import OWNER, epoch_metrics
from rich.color import Color
from safetensors.numpy import save_file

from agopconsole.analysis.colours import WARNING
from agopconsole.metrics import EpochAnsatz, LayerAnsatz
from agopconsole.spec import RunSpec
from agopconsole.store import Store
from agopconsole.tui.chart_panel import ChartPanel
from agopconsole.tui.run_screen import _PARTS, RunScreen
from agopconsole.tui.theme import CAUTION


async def open_run(pilot, run_id):
    pilot.app.open_screen(RunScreen(run_id))
    await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen) and pilot.app.caught_up)


def parts(pilot):
    return [part for part in _PARTS if pilot.app.screen.query_one(f"#{part}").region.area]


async def test_with_little_room_tab_goes_through_the_parts_and_with_room_all_are_there(demo):
    async with console(demo, (80, 24)) as pilot:
        await open_run(pilot, 6)
        seen = []
        for _ in _PARTS:
            seen += parts(pilot)
            await press(pilot, "tab")
            await pilot.pause()
        assert seen == list(_PARTS)
        await press(pilot, "shift+tab")
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: parts(pilot) == list(_PARTS))
        await press(pilot, "z")
        assert parts(pilot) == ["files"]


async def test_the_cause_stands_first_and_the_layers_say_how_it_started(demo):
    async with console(demo) as pilot:
        await open_run(pilot, 6)
        facts = text(pilot, "#spec")
        assert facts.startswith("diverged in epoch 2, step 7: the training loss is nan\nits start: outputs explode")
        layers = text(pilot, "#layer-lines").split("\n")
        assert layers[0].split() == ["layer", "var", "out²", "m'Sm", "PR", "grad", "btwn", "trace", "rank≤"]
        assert layers[1].split() == ["features.0", "1.0", "2.0", "1.0", "31", "0.02", "0.6", "128", "27"]


async def test_the_ansatz_of_the_last_epoch_stands_beside_the_start(demo):
    with Store(demo) as store:
        for epoch in (0, 10):
            store.record_ansatz(4, EpochAnsatz(epoch, (LayerAnsatz("features.0", 0.5, 0.25 + epoch / 100, 1.0),)))
    async with console(demo, (200, 50)) as pilot:
        await open_run(pilot, 4)
        await until(pilot, lambda: "ansatz, epoch 10" in pilot.app.screen.query_one("#layers").border_title)
        assert text(pilot, "#layer-lines").split("\n")[1].split()[6:9] == ["0.5", "0.35", "1.0"]


async def test_o_compares_with_another_run_and_no_one_again(demo):
    async with console(demo) as pilot:
        await open_run(pilot, 4)
        await pilot.press("o")
        await until(pilot, lambda: pilot.app.screen.query("#pick-filter"))
        offered = pilot.app.screen.query_one("#pick-runs")
        first = offered.get_option_at_index(0).prompt.plain
        assert re.fullmatch(r"■ #2 kaiming_normal s0  ✓ [\d.]+ %  digits · digits-transfer", first)
        pilot.app.screen.focused.value = "init:kaiming_normal seed:0"
        await until(pilot, lambda: offered.option_count == 1)
        await pilot.press("enter")
        await until(pilot, lambda: len(pilot.app.screen.query_one(ChartPanel).series) == 2)
        facts = text(pilot, "#spec")
        assert facts.startswith("against ■ #2 kaiming_normal s0\nbest val %  ")
        assert "init  kaiming_nfm, there kaiming_normal\n" in facts
        await pilot.press("o")
        await until(pilot, lambda: pilot.app.screen.query("#pick-filter"))
        await pilot.press("up", "enter")
        await until(pilot, lambda: "against" not in text(pilot, "#spec"))


async def test_the_log_follows_its_end_until_the_user_scrolls_up(demo):
    async with console(demo) as pilot:
        await open_run(pilot, 16)
        log = pilot.app.screen.query_one("#log")
        with Store(demo) as store:
            for i in range(60):
                store.log(16, "info", f"line {i}")
            await until(
                pilot, lambda: "line 59" in text(pilot, "#log-lines") and log.scroll_y == log.max_scroll_y > 0
            )
            for size in ((120, 30), (200, 50), (120, 40)):  # a new layout is no scrolling up
                await pilot.resize_terminal(*size)
                await until(pilot, lambda: log.scroll_y == log.max_scroll_y > 0 and log.border_title == "log")
            log.scroll_home(animate=False)
            await until(pilot, lambda: log.border_title != "log")
            store.log(16, "info", "one more")
            store.record_epoch(16, epoch_metrics(store.run(16), 13))
            await until(pilot, lambda: "one more" in text(pilot, "#log-lines"))
        assert log.scroll_y == 0
        assert "End" in log.border_title


async def test_the_files_of_a_run_are_listed(demo):
    with Store(demo) as store:
        folder = store.run_files(1)
    folder.mkdir(parents=True)
    (folder / "best.safetensors").write_bytes(bytes(2048))
    async with console(demo) as pilot:
        await open_run(pilot, 1)
        assert text(pilot, "#file-lines").split()[:3] == ["best.safetensors", "2.0", "KiB"]


# The first layer


def keep_weights(store, run_id, seed, name="best.safetensors"):
    folder = store.run_files(run_id)
    folder.mkdir(parents=True, exist_ok=True)
    weights = np.random.default_rng(seed).normal(size=(8, 3, 3, 3)).astype(np.float32)
    save_file({"features.0.weight": weights}, folder / name)
    return weights


def first_eigenvector(weights):
    """By its matrix, as a picture: grey for 0, the largest entry full, shape (3, 3, 3), colours last."""
    flat = weights.reshape(len(weights), -1).astype(np.float64)
    vector = np.linalg.eigh(flat.T @ flat)[1][:, -1]
    vector /= vector[np.abs(vector).argmax()]
    return np.rint(127.5 + 127.5 * vector.reshape(3, 3, 3)).astype(int).transpose(1, 2, 0)


def drawn_pixel(pilot, line, x):
    """The colours of the character at `x` of that line of the pictures: of its upper and its lower pixel."""
    content = pilot.app.screen.query_one("#filter-rows").content
    style = content.split("\n")[line].get_style_at_offset(pilot.app.console, x)
    return [list(Color.get_truecolor(colour)) for colour in (style.color, style.bgcolor)]


@pytest.fixture
def extracted(tmp_path):
    """A run from the AGOP of a source that the console trained; the id of the run, and the weights of both."""
    with Store(tmp_path / "runs.db", create=True) as store:
        spec = {"init": "kaiming_agop", "source": "dataset:digits", "dataset": "svhn", "epochs": 2}
        source = store.add_runs([RunSpec.parse({"epochs": 1, "dataset": "digits"})])[0]
        store.claim(OWNER)
        store.finish(source, "done")
        run = store.add_runs([RunSpec.parse({**spec, "source": f"run:{source}"})])[0]
        store.claim(OWNER)
        store.log(run, "info", f"source run:{source}: a vgg11, digest 0123456789abcdef")
        weights = keep_weights(store, source, 1)
        folder = store.files / "features"
        folder.mkdir(parents=True)
        for digest, seed in (("0123456789abcdef", 2), ("of another", 3)):
            factor = np.random.default_rng(seed).normal(size=(5, 27)).astype(np.float32)
            facts = {"source_digest": digest, "dataset": "svhn", "images": 64, "power": 1.0, "seed": 0}
            facts |= {"outputs": "all", "patch_shapes": {"features.0": [3, 3, 3]}}
            metadata = {name: json.dumps(value) for name, value in facts.items()}
            save_file({"features.0": factor}, folder / f"agop-{seed}.safetensors", metadata)
        agop = np.random.default_rng(2).normal(size=(5, 27)).astype(np.float32)
    return tmp_path / "runs.db", run, weights, agop


async def test_the_first_layer_of_run_source_and_agop_is_drawn_and_drawn_anew_as_the_run_trains(extracted):
    path, run_id, source, agop = extracted
    async with console(path, (160, 50)) as pilot:
        await open_run(pilot, run_id)
        await until(pilot, lambda: "%" in text(pilot, "#filter-rows"))
        lines = text(pilot, "#filter-rows").split("\n")
        assert [lines[0], lines[5]] == [f"{kind} of its source, run #1, features.0" for kind in ("NFM", "AGOP")]
        for line, weights in ((1, source), (6, agop)):
            expected = first_eigenvector(weights)
            for x in (0, 2, 4):  # a pixel is two characters wide and one high
                assert np.abs(np.array(drawn_pixel(pilot, line, x)) - expected[0, x // 2]).max() <= 1
        with Store(path) as store:
            own = keep_weights(store, run_id, 4)
            store.record_epoch(run_id, epoch_metrics(store.run(run_id), 1))
        await until(pilot, lambda: text(pilot, "#filter-rows").startswith("NFM at the best epoch, features.0\n"))
        assert np.abs(np.array(drawn_pixel(pilot, 1, 0)) - first_eigenvector(own)[0, 0]).max() <= 1


async def test_as_many_eigenvectors_as_there_is_room_for(extracted):
    path, run_id, *_ = extracted
    async with console(path, (80, 24)) as pilot:
        await open_run(pilot, run_id)
        await press(pilot, *["tab"] * 3)
        await until(pilot, lambda: text(pilot, "#filter-rows").count("%") == 8 + 5)
        await pilot.resize_terminal(40, 24)
        await until(pilot, lambda: text(pilot, "#filter-rows").count("%") == 5 + 5)


async def test_why_there_are_no_pictures_is_said(extracted):
    path, run_id, *_ = extracted
    shutil.rmtree(path.with_suffix(".files") / "features")
    (path.with_suffix(".files") / "run-1" / "best.safetensors").write_bytes(b"rubbish")
    async with console(path) as pilot:
        await open_run(pilot, run_id)
        await until(pilot, lambda: "cannot be read" in text(pilot, "#filter-rows"))
        assert text(pilot, "#filter-rows").endswith("AGOP of its source, run #1\nno file of it is kept here")


async def test_without_half_blocks_or_colours_there_are_words(extracted, monkeypatch):
    path, run_id, *_ = extracted
    for options, colours in (({"unicode": False}, {}), ({}, {"NO_COLOR": "1"})):
        for name, value in colours.items():
            monkeypatch.setenv(name, value)
        async with console(path, **options) as pilot:
            await open_run(pilot, run_id)
            await until(pilot, lambda: text(pilot, "#filter-rows").count("the pictures take colours") == 2)


async def test_without_any_weights_it_says_so(demo):
    async with console(demo) as pilot:
        await open_run(pilot, 1)
        await until(pilot, lambda: text(pilot, "#filter-rows") == "no weights kept yet")


async def test_the_heading_warns_of_what_failed_and_cautions_of_what_is_at_chance_before_the_rest(demo):
    async with console(demo) as pilot:
        for run_id, word, colour in ((11, "at chance", CAUTION), (6, "diverged", WARNING)):
            await open_run(pilot, run_id)
            heading = pilot.app.screen.query_one("#heading").content
            assert {span.style for span in heading.spans if heading.plain[span.start : span.end].strip() == word} == {
                colour
            }
            assert heading.plain.index(word) < heading.plain.index("best")
            why = pilot.app.screen.query_one("#spec").content
            assert why.spans[0].style == colour
            await pilot.press("escape")
