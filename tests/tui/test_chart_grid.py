"""The charts as a user handles them: by keys and mouse, together, and as they were left the last time."""

import json

import pytest
from helpers.console import console, press, table, text, until
from textual.events import MouseScrollUp

from agopconsole.analysis.plots import PLOTS, USUAL
from agopconsole.metrics import EpochAnsatz, LayerAnsatz
from agopconsole.store import Store
from agopconsole.tui import chart_panel
from agopconsole.tui.chart_grid import ChartGrid
from agopconsole.tui.plot_panel import PlotPanel
from agopconsole.tui.plot_screen import PlotScreen

WIDE = (200, 50)


def grid(pilot):
    return pilot.app.screen_stack[1].query_one(ChartGrid)


def panel(pilot, cell=1):
    return pilot.app.screen.query_one(f"#chart-{cell}", PlotPanel)


def in_sight(pilot):
    return [plot.name for plot in grid(pilot).in_sight()]


def limits(pilot, cell=1):
    return panel(pilot, cell).picture.canvas.limits


async def test_every_usual_chart_is_drawn_where_there_is_room(demo):
    async with console(demo, WIDE) as pilot:
        assert in_sight(pilot) == list(USUAL)
        for cell, name in enumerate(USUAL, start=1):
            assert panel(pilot, cell).border_title == PLOTS[name].title
            assert panel(pilot, cell).picture.canvas is not None
        assert "overfit" in text(pilot, "#chart-2")
        assert "underfit" in text(pilot, "#chart-2")


async def test_steps_are_read_only_while_a_chart_of_them_is_in_sight(demo):
    async with console(demo) as pilot:
        assert pilot.app._snapshot.steps == {}
        await press(pilot, "down", *["tab"] * 4)
        assert in_sight(pilot) == ["step_loss", "throughput"]
        assert {run: len(steps) > 10 for run, steps in pilot.app._snapshot.steps.items()} == {
            1: True,
            7: True,
            13: True,
        }
        (line,) = panel(pilot).series
        assert line.label == "kaiming_uniform n=3"
        assert line.x[-1] == 20


async def test_steps_of_too_many_runs_are_not_read_and_the_chart_says_so(demo, monkeypatch):
    monkeypatch.setattr("agopconsole.tui.chart_grid.MOST_STEP_RUNS", 4)
    monkeypatch.setattr("agopconsole.tui.main_screen.MOST_STEP_RUNS", 4)
    async with console(demo, WIDE) as pilot:
        assert text(pilot, "#chart-5") == "steps of 4 runs at most: choose fewer"
        assert pilot.app._snapshot.steps == {}
        await press(pilot, "down")
        assert panel(pilot, 5).picture.canvas is not None


async def test_x_counts_epochs_steps_and_time_in_every_chart(demo):
    async with console(demo) as pilot:
        seen = []
        for _ in range(4):
            seen.append([(limits(pilot, cell).x_high, panel(pilot, cell).picture.axes.time) for cell in (1, 2)])
            await press(pilot, "x")
        assert seen == [[(20, False)] * 2, [(360, False)] * 2, [(50, True)] * 2, [(20, False)] * 2]


async def test_l_changes_the_scale_of_the_current_chart_alone(demo):
    async with console(demo) as pilot:
        await press(pilot, "tab", "l")
        assert [panel(pilot, cell).picture.axes.log for cell in (1, 2)] == [False, True]
        assert "≤ 0 not shown" in text(pilot, "#chart-2") or limits(pilot, 2).y_high < 0
        assert "log" in panel(pilot, 2).border_subtitle
        await press(pilot, "l")
        assert not panel(pilot, 2).picture.axes.log


async def test_s_smooths_and_after_the_smoothest_no_more(demo):
    async with console(demo) as pilot:
        raw = panel(pilot).series
        await press(pilot, "s")
        assert panel(pilot).series[0].y != raw[0].y
        assert panel(pilot).series[0].y[0] == raw[0].y[0]
        assert "smoothed" in panel(pilot).border_subtitle
        await press(pilot, "s", "s", "s")
        assert panel(pilot).series == raw


async def test_b_changes_between_bands_and_single_runs(demo):
    async with console(demo) as pilot:
        await press(pilot, "down", "b")
        assert [one.label for one in panel(pilot).series] == [
            f"#{i} kaiming_uniform s{s}" for i, s in ((1, 0), (7, 1), (13, 2))
        ]
        await press(pilot, "b")
        assert [one.label for one in panel(pilot).series] == ["kaiming_uniform n=3"]


async def test_zoom_and_pan_hold_for_all_charts_and_0_takes_them_back(demo):
    async with console(demo) as pilot:
        await press(pilot, "z")
        assert [(limits(pilot, cell).x_low, limits(pilot, cell).x_high) for cell in (1, 2)] == [(5.75, 15.25)] * 2
        await press(pilot, "right_square_bracket")
        assert (limits(pilot).x_low, limits(pilot).x_high) == (8.125, 17.625)
        await press(pilot, *["left_square_bracket"] * 9)
        assert limits(pilot).x_low == 1
        await press(pilot, "Z")
        assert (limits(pilot).x_low, limits(pilot).x_high) == (1, 20)
        await press(pilot, "z", "0")
        assert (limits(pilot).x_low, limits(pilot).x_high) == (1, 20)


async def test_the_cursor_reads_all_charts_and_draws_none_anew(demo, monkeypatch):
    async with console(demo) as pilot:
        await press(pilot, "down")
        drawn = text(pilot, "#chart-1")
        await press(pilot, "comma")
        monkeypatch.setattr(chart_panel, "draw_chart", None)  # a call would end the console
        assert "epoch 20 " in text(pilot, "#chart-1")
        await press(pilot, "comma", "comma")
        line = panel(pilot).series[0]
        assert f"epoch 18  ■ {line.y[17]:.4g}±{line.band[17]:.2g}" in text(pilot, "#chart-1")
        gap = panel(pilot, 2).series[0]
        assert f"epoch 18  ■ {gap.y[17]:.4g}±{gap.band[17]:.2g}" in text(pilot, "#chart-2")
        await press(pilot, "full_stop")
        assert "epoch 19" in text(pilot, "#chart-2")
        assert text(pilot, "#chart-1").count("│") > drawn.count("│")
        monkeypatch.undo()
        await press(pilot, "0")
        assert text(pilot, "#chart-1") == drawn


async def test_charts_side_by_side_share_a_legend_and_one_alone_has_its_own(demo):
    async with console(demo, WIDE) as pilot:
        assert "■" not in text(pilot, "#chart-1")
        legend = text(pilot, "#grid-legend")
        assert legend.startswith("■ kaiming_agop n=0 ✗ 2 diverged, first in epoch ")
        for one in panel(pilot).series:
            assert f"■ {one.label}" in legend
        lines = legend.count("\n") + 1
        assert grid(pilot).query_one("#grid-legend").region.height == lines
        assert sum(panel(pilot, cell).region.height for cell in (1, 4)) == grid(pilot).size.height - lines
        await press(pilot, "down")
        await until(pilot, lambda: text(pilot, "#grid-legend").strip() == "■ kaiming_uniform n=3")
        await until(pilot, lambda: panel(pilot).region.height == (grid(pilot).size.height - 1) // 2)
        await press(pilot, "b")
        await until(pilot, lambda: text(pilot, "#grid-legend").startswith("■ #1 kaiming_uniform s0  ■ #7"))
        await press(pilot, "F")
        await until(pilot, lambda: pilot.app.caught_up and "■ #1 kaiming_uniform s0" in text(pilot, "#chart-1"))
        assert not grid(pilot).query_one("#grid-legend").region.area


async def test_a_chart_that_cannot_show_a_value_says_so_with_a_shared_legend_too(demo):
    async with console(demo, WIDE) as pilot:
        await press(pilot, "tab", "l")
        assert "≤ 0 not shown" in text(pilot, "#chart-2")
        assert "≤ 0 not shown" not in text(pilot, "#chart-1")


async def test_without_colours_each_chart_has_its_own_legend(demo, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with console(demo, WIDE) as pilot:
        assert " kaiming_agop n=0 ✗" in text(pilot, "#chart-1")
        assert not grid(pilot).query_one("#grid-legend").region.area


async def test_nothing_is_drawn_again_while_nothing_has_changed(demo, monkeypatch):
    async with console(demo) as pilot:
        with Store(demo) as store:
            store.heartbeat([16])
        before = pilot.app._snapshot
        monkeypatch.setattr(chart_panel, "draw_chart", None)
        await until(pilot, lambda: pilot.app._snapshot is not before)


async def test_m_chooses_what_a_chart_shows_and_the_choice_is_kept(demo, tmp_path):
    kept = tmp_path / "console.json"
    async with console(demo, preferences=kept) as pilot:
        await press(pilot, "m")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlotScreen))
        await press(pilot, "end", "enter")
        last = list(PLOTS)[-1]
        await until(pilot, lambda: in_sight(pilot) == [last, "loss_gap"] and pilot.app.caught_up)
        assert panel(pilot).border_title == PLOTS[last].title
    assert json.loads(kept.read_text())["charts"] == [last, *USUAL[1:]]
    async with console(demo, preferences=kept) as pilot:
        assert in_sight(pilot) == [last, "loss_gap"]


async def test_a_plot_that_is_in_the_grid_already_changes_places(demo):
    async with console(demo) as pilot:
        await press(pilot, "m")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlotScreen))
        await press(pilot, "j", "enter")
        await until(pilot, lambda: in_sight(pilot) == ["loss_gap", "val_accuracy"])


async def test_charts_are_carried_and_their_number_is_chosen(demo, tmp_path):
    kept = tmp_path / "console.json"
    async with console(demo, preferences=kept) as pilot:
        await press(pilot, "greater_than_sign")
        assert in_sight(pilot) == ["loss_gap", "val_accuracy"]
        await press(pilot, "L")
        assert in_sight(pilot) == ["val_accuracy"]
        await press(pilot, "L", "L", "L")
        assert len(in_sight(pilot)) == 4
        await press(pilot, "less_than_sign", "less_than_sign")
        assert grid(pilot).plots == USUAL
    assert json.loads(kept.read_text())["grid"] == "2x2"
    async with console(demo, preferences=kept) as pilot:
        assert len(in_sight(pilot)) == 4
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: len(in_sight(pilot)) < 4)


@pytest.mark.parametrize("back", ["F", "escape", "enter"])
async def test_a_chart_has_the_whole_screen_and_gives_it_back(demo, back):
    async with console(demo) as pilot:
        await press(pilot, "tab", "F")
        await until(pilot, lambda: panel(pilot).size.width > 110 and pilot.app.caught_up)
        assert in_sight(pilot) == ["loss_gap"]
        assert not table(pilot).region.area
        await press(pilot, "left")
        assert grid(pilot).view.cursor == 20
        await press(pilot, "tab")
        assert in_sight(pilot) == ["train_accuracy"]
        await press(pilot, back)
        await until(pilot, lambda: table(pilot).region.area > 0)
        assert len(in_sight(pilot)) == 2
        await press(pilot, "escape", "down")
        assert table(pilot).has_focus
        assert table(pilot).cursor == 1


async def test_the_mouse_reads_zooms_pans_and_opens_a_chart(demo):
    async with console(demo) as pilot:
        canvas = panel(pilot, 2).picture.canvas
        middle = canvas.left + 1 + canvas.columns // 2  # one more for the frame
        await pilot.click("#chart-2", offset=(middle, 4))
        await until(pilot, lambda: grid(pilot).view.cursor is not None)
        assert grid(pilot).view.cursor == pytest.approx(10.5, abs=0.4)
        assert grid(pilot).current == 1
        await pilot._post_mouse_events([MouseScrollUp], "#chart-2", offset=(middle, 4))
        await until(pilot, lambda: grid(pilot).view.window is not None)
        low, high = grid(pilot).view.window
        assert high - low == pytest.approx(0.8 * 19)
        assert (low + high) / 2 == pytest.approx(10.5, abs=0.4)
        await until(pilot, lambda: pilot.app.caught_up)
        await pilot.mouse_down("#chart-2", offset=(middle, 4))
        await pilot.hover("#chart-2", offset=(middle + 6, 4))
        await pilot.mouse_up("#chart-2", offset=(middle + 6, 4))
        await until(pilot, lambda: grid(pilot).view.window[0] < low)
        await pilot.click("#chart-2", offset=(middle, 4), times=2)
        await until(pilot, lambda: in_sight(pilot) == ["loss_gap"])


async def test_without_runs_no_key_does_harm(tmp_path):
    with Store(tmp_path / "runs.db", create=True):
        pass
    async with console(tmp_path / "runs.db") as pilot:
        await press(pilot, "x", "l", "s", "b", "z", "Z", "comma", "full_stop", "left_square_bracket", "0", "L", "tab")
        await press(pilot, "less_than_sign", "F", "F")


async def test_a_cell_too_small_for_a_chart_says_all_in_words_and_has_no_cursor(demo):
    async with console(demo, (80, 11)) as pilot:
        assert panel(pilot).picture.canvas is None
        await press(pilot, "comma", "z", "left_square_bracket")
        assert "■" in text(pilot, "#chart-1")


async def test_the_ansatz_is_drawn_over_layers_whatever_x_counts_elsewhere(demo):
    with Store(demo) as store:
        for run in (1, 7, 13):
            for epoch in (0, 20):
                layers = [LayerAnsatz(f"features.{i}", 0.5 + 0.01 * (i + epoch), 0.6, 0.9) for i in range(8)]
                store.record_ansatz(run, EpochAnsatz(epoch, tuple(layers)))
    async with console(demo) as pilot:
        grid(pilot).choose("ansatz")
        await press(pilot, "down")
        await until(pilot, lambda: pilot.app.caught_up and panel(pilot).x_label == "layer")
        before = text(pilot, "#chart-1")
        assert [one.label for one in panel(pilot).series] == [
            "kaiming_uniform n=3",
            "kaiming_uniform n=3 at the start",
        ]
        await press(pilot, "z", "x", "comma", "s")
        assert text(pilot, "#chart-1") == before
        await press(pilot, "down")
        await until(pilot, lambda: "not measured: ansatz_epochs" in text(pilot, "#chart-1"))
