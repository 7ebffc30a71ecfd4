"""The console as a user meets it: what it shows, what its keys do, and what happens to it while it is open."""

import sqlite3
from contextlib import closing

import pytest
from helpers.console import console, lines, press, table, text, until
from helpers.demo_store import OWNER, epoch_metrics, play

from agopconsole.spec import RunSpec
from agopconsole.store import Store
from agopconsole.tui import app as app_module
from agopconsole.tui.chart_panel import ChartPanel
from agopconsole.tui.help_screen import HelpScreen
from agopconsole.tui.rows import MethodRow, RunRow
from agopconsole.tui.run_screen import RunScreen
from agopconsole.tui.start_panel import StartPanel


def labels(pilot, panel="#chart-1"):
    return [one.label for one in pilot.app.screen.query_one(panel, ChartPanel).series]


def displayed(pilot):
    panels = [*pilot.app.screen.query(ChartPanel), pilot.app.screen.query_one(StartPanel)]
    return [panel.id for panel in panels if panel.region.area]


async def test_it_opens_on_the_newest_study_with_a_line_a_method(demo):
    async with console(demo) as pilot:
        shown = lines(pilot)
        assert shown[0].split() == ["method", "n", "best", "±", "gap"]
        assert "digits-transfer" in shown[1]
        assert next(line for line in shown if "lecun" in line).split() == [
            "■",
            "lecun_normal",
            "3",
            "83.0",
            "1.4",
            "+0.25",
        ]
        assert sorted(label.split()[0] for label in labels(pilot)) == sorted(
            row.method for row in table(pilot).rows if isinstance(row, MethodRow)
        )
        assert labels(pilot) == labels(pilot, "#chart-2")


async def test_what_went_wrong_is_in_the_table_the_chart_and_the_status_line(demo):
    async with console(demo) as pilot:
        assert any("kaiming_agop" in line and "✗ 2 diverged" in line for line in lines(pilot))
        assert any("nfm" in line and "≈1" in line for line in lines(pilot))
        assert "kaiming_agop n=0 ✗" in text(pilot, "#grid-legend")
        assert "2 diverged" in text(pilot, "#status")


async def test_the_status_line_says_that_a_worker_is_alive_and_what_it_has_to_do(demo):
    with Store(demo) as store:
        store.heartbeat([16])
    async with console(demo) as pilot:
        assert "● worker on · 1 running · 2 queued · 2 diverged · 13 done" in text(pilot, "#status")


async def test_the_cursor_chooses_what_is_drawn(demo):
    async with console(demo) as pilot:
        await press(pilot, "down", "down")
        assert labels(pilot) == ["kaiming_normal n=3"]
        assert pilot.app.screen.query_one(StartPanel).border_title == "start of #2  kaiming_normal, seed 0"
        await press(pilot, "down", "down", "down")
        assert labels(pilot) == ["#4 kaiming_nfm s0"]


async def test_space_selects_and_escape_forgets(demo):
    async with console(demo) as pilot:
        await press(pilot, "down", "space", "space")
        assert labels(pilot) == ["kaiming_uniform n=3", "kaiming_normal n=3"]
        assert [line[0] for line in lines(pilot)[2:5]] == ["●", "●", " "]
        await press(pilot, "end")
        assert labels(pilot) == ["kaiming_uniform n=3", "kaiming_normal n=3"]
        await press(pilot, "home", "escape")
        assert len(labels(pilot)) == 6


async def test_g_changes_to_single_runs_and_back(demo):
    async with console(demo) as pilot:
        await press(pilot, "g")
        assert [row.run.id for row in table(pilot).rows] == list(range(18, 0, -1))
        assert "diverged, epoch 3" in lines(pilot)[18 - 12 + 1]
        await press(pilot, "home", "g")
        assert any(isinstance(row, MethodRow) for row in table(pilot).rows)


async def test_left_and_right_close_and_open(demo):
    async with console(demo) as pilot:
        running = next(i for i, row in enumerate(table(pilot).rows) if isinstance(row, RunRow))
        await press(pilot, *["down"] * running, "left")
        assert not any(isinstance(row, RunRow) for row in table(pilot).rows)
        assert table(pilot).current().method == "kaiming_nfm"
        await press(pilot, "right")
        assert sum(isinstance(row, RunRow) for row in table(pilot).rows) == 3
        await press(pilot, "home", "left")
        assert len(table(pilot).rows) == 1


@pytest.mark.parametrize(("size", "charts"), [((80, 24), 1), ((130, 30), 2)])
async def test_with_little_room_the_start_comes_after_the_last_chart(demo, size, charts):
    async with console(demo, size) as pilot:
        in_sight = [f"chart-{cell + 1}" for cell in range(charts)]
        assert displayed(pilot) == in_sight
        await press(pilot, *["tab"] * 5)
        assert displayed(pilot) == in_sight
        await press(pilot, "tab")
        await until(pilot, lambda: displayed(pilot) == ["start"])
        await press(pilot, "tab")
        await until(pilot, lambda: displayed(pilot) == in_sight)
        await press(pilot, "shift+tab")
        await until(pilot, lambda: displayed(pilot) == ["start"])


@pytest.mark.parametrize(("size", "charts"), [((120, 40), 2), ((200, 50), 6), ((160, 24), 2), ((100, 36), 2)])
async def test_there_are_as_many_charts_in_sight_as_can_be_read(demo, size, charts):
    async with console(demo, size) as pilot:
        assert displayed(pilot) == [*(f"chart-{cell + 1}" for cell in range(charts)), "start"]


async def test_where_there_is_no_room_for_a_chart_beside_the_table_tab_shows_it_alone(demo):
    async with console(demo, (60, 16)) as pilot:
        assert displayed(pilot) == []
        assert table(pilot).region.width == 60
        await press(pilot, "down", "tab")
        await until(pilot, lambda: pilot.app.caught_up and "kaiming_uniform n=3" in text(pilot, "#chart-1"))
        assert displayed(pilot) == ["chart-1"]
        await press(pilot, "tab")
        assert pilot.app.screen.query_one("#chart-1").border_title.startswith("loss gap")
        await press(pilot, "escape")
        assert displayed(pilot) == []
        assert table(pilot).has_focus
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: displayed(pilot) == ["chart-1"])


async def test_charts_fill_their_panels_at_every_size(demo):
    async with console(demo) as pilot:
        for size in ((80, 24), (200, 50), (40, 10), (12, 4), (100, 36), (300, 20)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            for panel in pilot.app.screen.query(ChartPanel):
                if panel.content_size.area:
                    chart = panel.content.plain.split("\n")
                    assert (len(chart[0]), len(chart)) == tuple(panel.content_size), size


async def test_enter_opens_a_run_in_full_and_escape_closes_it(demo):
    async with console(demo) as pilot:
        await press(pilot, "g", "end", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen) and pilot.app.caught_up)
        assert "✓ done, epoch 20/20   best 85.8 % in epoch 20" in text(pilot, "#heading")
        assert "weight_decay" in text(pilot, "#spec")
        assert "H100" in text(pilot, "#spec")
        assert "started as kaiming_uniform" in text(pilot, "#log-lines")
        assert pilot.app.screen.query_one("#epochs").row_count == 20
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, RunScreen)


async def test_the_error_of_a_run_stands_first(demo):
    async with console(demo) as pilot:
        await press(pilot, "g", *["down"] * 6, "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen) and pilot.app.caught_up)
        assert text(pilot, "#spec").startswith("diverged in epoch 3, step 7: the training loss is nan")
        assert "diverged" in text(pilot, "#heading")


async def test_an_open_run_goes_on_while_another_process_trains_it(demo):
    async with console(demo) as pilot:
        await press(pilot, "g", "down", "down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen) and pilot.app.caught_up)
        epochs = pilot.app.screen.query_one("#epochs")
        assert epochs.row_count == 12
        with Store(demo) as store:
            run = store.run(16)
            store.record_epoch(16, epoch_metrics(run, 13))
            store.log(16, "info", "still here")
        await until(pilot, lambda: epochs.row_count == 13 and "still here" in text(pilot, "#log-lines"))
        assert "epoch 13/20" in text(pilot, "#heading")
        assert epochs.cursor_row == 12


async def test_an_open_run_that_is_removed_says_so(demo):
    async with console(demo) as pilot:
        await press(pilot, "g", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen) and pilot.app.caught_up)
        assert text(pilot, "#log-lines") == "nothing logged yet"
        with closing(sqlite3.connect(demo)) as database, database:
            database.execute("DELETE FROM runs WHERE id = 18")
        await until(pilot, lambda: "#18 is no longer in the store" in text(pilot, "#heading"))
        demo.unlink()
        await until(pilot, lambda: "✗" in text(pilot, "#heading"))
        assert "runs.db" in text(pilot, "#heading")


async def test_the_table_follows_another_process_and_the_cursor_stays_on_its_row(demo):
    async with console(demo) as pilot:
        await press(pilot, "down", "down", "space", "up")
        before = table(pilot).current().key
        with Store(demo) as store:
            store.add_runs([RunSpec.parse({"init": "orthogonal", "study": "next"})])
            play(store, store.claim(OWNER))
        await until(pilot, lambda: any("next" in line for line in lines(pilot)))
        assert table(pilot).current().key == before
        assert "kaiming_normal" in lines(pilot)[1 + table(pilot).cursor]
        assert next(line for line in lines(pilot) if line.startswith("●")).split()[1] == "kaiming_normal"


async def test_a_curve_grows_as_its_run_does(demo):
    async with console(demo) as pilot:
        await press(pilot, *["down"] * 7)
        accuracy = pilot.app.screen.query_one("#chart-1", ChartPanel)
        assert (labels(pilot), len(accuracy.series[0].y)) == (["#16 kaiming_nfm s2"], 12)
        drawn = text(pilot, "#chart-1")
        with Store(demo) as store:
            store.record_epoch(16, epoch_metrics(store.run(16), 13))
        await until(pilot, lambda: len(accuracy.series[0].y) == 13)
        assert text(pilot, "#chart-1") != drawn


async def test_an_empty_store_says_what_to_do_until_the_first_run_is_queued(tmp_path):
    with Store(tmp_path / "runs.db", create=True) as store:
        async with console(tmp_path / "runs.db", (80, 24)) as pilot:
            assert "Press n" in text(pilot, "#empty")
            assert pilot.app.screen.query_one("#empty").region.area
            await press(pilot, "down", "up", "space", "g", "enter", "left", "right", "pagedown", "tab", "escape")
            store.add_runs([RunSpec.parse({})])
            await until(pilot, lambda: len(table(pilot).rows) == 2)
            assert not pilot.app.screen.query_one("#empty").region.area
            assert "○ no worker · 1 queued" in text(pilot, "#status")
            assert "no numbers yet" in text(pilot, "#chart-1")


async def test_a_store_that_is_not_there_is_said_and_waited_for(tmp_path):
    async with console(tmp_path / "runs.db", wait=False) as pilot:
        await until(pilot, lambda: "there is no store" in text(pilot, "#status"))
        assert "there is no store" in text(pilot, "#empty")
        Store(tmp_path / "runs.db", create=True).close()
        await until(pilot, lambda: "idle" in text(pilot, "#status"))


async def test_a_file_that_is_no_store_is_said(tmp_path):
    (tmp_path / "runs.db").write_bytes(b"no database " * 100)
    async with console(tmp_path / "runs.db", wait=False) as pilot:
        await until(pilot, lambda: "is not a store that can be used" in text(pilot, "#empty"))
        assert "✗" in text(pilot, "#status")


async def test_a_store_that_vanishes_leaves_what_was_read_and_says_so(demo):
    async with console(demo) as pilot:
        for file in demo.parent.glob("runs.db*"):
            file.unlink()
        await until(pilot, lambda: "✗" in text(pilot, "#status"))
        await pilot.press("down", "down")
        assert any("lecun_normal" in line for line in lines(pilot))


async def test_a_store_that_stays_locked_is_said_and_does_not_keep_the_console_open(demo, monkeypatch):
    monkeypatch.setattr(app_module, "_PATIENCE_SECONDS", 0.2)
    lock = sqlite3.connect(demo, isolation_level=None)
    lock.execute("PRAGMA journal_mode = DELETE")
    lock.execute("BEGIN EXCLUSIVE")
    app = app_module.ConsoleApp(demo)
    try:
        async with app.run_test() as pilot:
            await until(pilot, lambda: "is locked by another process" in text(pilot, "#status"))
            await pilot.press("q")
        assert app.return_code == 0
    finally:
        lock.close()
    assert app.reader.join(10)


async def test_a_store_that_is_let_go_again_is_shown_again(demo, monkeypatch):
    monkeypatch.setattr(app_module, "_PATIENCE_SECONDS", 0.2)
    lock = sqlite3.connect(demo, isolation_level=None)
    lock.execute("PRAGMA journal_mode = DELETE")
    async with console(demo) as pilot:
        lock.execute("BEGIN EXCLUSIVE")
        await pilot.press("f5")
        await until(pilot, lambda: "is locked by another process" in text(pilot, "#status"))
        lock.execute("ROLLBACK")
        await until(pilot, lambda: "2 diverged" in text(pilot, "#status"))
        assert "locked" not in text(pilot, "#status")
    lock.close()


async def test_question_mark_shows_the_keys_and_closes_them(demo):
    async with console(demo, (80, 24)) as pilot:
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        page = text(pilot, "HelpScreen Static")
        assert all(word in page for word in ("space", "diverged", "deviation"))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, HelpScreen))


async def test_f5_reads_again_even_if_nothing_changed(demo):
    async with console(demo) as pilot:
        before = pilot.app.screen._snapshot
        await pilot.press("f5")
        await until(pilot, lambda: pilot.app.screen._snapshot is not before)
        assert pilot.app.screen._snapshot.runs == before.runs


async def test_q_quits(demo):
    async with console(demo) as pilot:
        await pilot.press("q")
        await until(pilot, lambda: not pilot.app.is_running)
        assert pilot.app.return_code == 0


async def test_a_click_moves_the_cursor_and_a_second_one_opens_the_run(demo):
    async with console(demo) as pilot:
        await press(pilot, "g")
        await pilot.click(table(pilot), offset=(10, 5))
        await until(pilot, lambda: table(pilot).cursor == 3)
        await pilot.click(table(pilot), offset=(10, 5), times=2)
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))


async def test_without_colour_each_line_of_a_chart_has_a_sign_of_its_own(demo, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with console(demo) as pilot:
        await press(pilot, "down", "space", "space")
        legend = text(pilot, "#chart-1").split("\n")[-1].split()
        assert legend[0] != legend[3]


async def test_the_cursor_stays_in_sight_in_a_long_table(tmp_path):
    with Store(tmp_path / "runs.db", create=True) as store:
        store.add_runs([RunSpec.parse({"seed": seed}) for seed in range(300)])
    async with console(tmp_path / "runs.db", (80, 24)) as pilot:
        await press(pilot, "g", "end")
        runs = table(pilot)
        window = range(runs.scroll_offset.y, runs.scroll_offset.y + runs.size.height - 1)
        assert runs.cursor == 299
        assert runs.cursor in window
        assert "#1 " in runs.render_line(runs.size.height - 1).text
        await press(pilot, "pageup", "home")
        assert (runs.cursor, runs.scroll_offset.y) == (0, 0)
