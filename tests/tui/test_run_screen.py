"""One run in full: its parts at every size, the run it is compared with, its log, its files."""

from helpers.console import console, press, text, until
from helpers.demo_store import epoch_metrics

from agopconsole.metrics import EpochAnsatz, LayerAnsatz
from agopconsole.store import Store
from agopconsole.tui.chart_panel import ChartPanel
from agopconsole.tui.run_screen import _PARTS, RunScreen


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
        assert "#2 kaiming_normal s0" in offered.get_option_at_index(0).prompt.plain
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
            log.scroll_home(animate=False)
            await pilot.pause()
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
