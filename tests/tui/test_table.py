"""Filter, order, columns and selection of the table of runs, by key and by mouse."""

import json

import pytest
from helpers.console import console, lines, press, table, text, until
from helpers.demo_store import OWNER, epoch_metrics

from agopconsole.analysis import plots
from agopconsole.spec import RunSpec
from agopconsole.store import Store
from agopconsole.tui.columns import COLUMNS, Sort, fitting
from agopconsole.tui.columns_screen import ColumnsScreen
from agopconsole.tui.preferences import Preferences, load, save
from agopconsole.tui.rows import MethodRow


def methods(pilot):
    return [row.method for row in table(pilot).rows if isinstance(row, MethodRow)]


async def type_filter(pilot, words):
    await pilot.press("slash", *["space" if c == " " else "colon" if c == ":" else c for c in words])


async def test_a_filter_is_applied_as_one_types_and_kept_on_enter(demo):
    async with console(demo) as pilot:
        await type_filter(pilot, "init:nfm")
        await until(pilot, lambda: methods(pilot) == ["nfm"])
        assert text(pilot, "#filter-says") == "3 runs"
        await pilot.press("enter")
        assert pilot.app.focused is table(pilot)
        assert pilot.app.screen.query_one("#filter-bar").region.area
        await pilot.press("slash", "escape")
        await until(pilot, lambda: len(methods(pilot)) == 6)
        assert not pilot.app.screen.query_one("#filter-bar").region.area


async def test_a_wrong_filter_says_so_and_changes_nothing(demo):
    async with console(demo) as pilot:
        await type_filter(pilot, "sede:3")
        await until(pilot, lambda: "did you mean 'seed'?" in text(pilot, "#filter-says"))
        assert len(methods(pilot)) == 6


async def test_o_sorts_by_the_columns_in_turn_and_capital_o_turns_it_round(demo):
    async with console(demo) as pilot:
        queued = methods(pilot)
        await press(pilot, "o", "o")
        assert table(pilot).sort == Sort("best", descending=True)
        best = methods(pilot)
        assert (best[0], best[-1]) == ("kaiming_nfm", "kaiming_agop")
        assert "▼best" in lines(pilot)[0]
        await press(pilot, "O")
        assert methods(pilot) == [*best[-2::-1], "kaiming_agop"]
        table(pilot).sort_by(None)
        assert methods(pilot) == queued


async def test_a_click_on_a_heading_sorts(demo):
    async with console(demo) as pilot:
        heading = lines(pilot)[0]
        for descending in (True, False):
            await pilot.click(table(pilot), offset=(heading.index("best") + 2, 1))
            assert table(pilot).sort == Sort("best", descending=descending)


async def test_columns_are_hidden_moved_and_kept_for_the_next_session(demo, tmp_path):
    kept = tmp_path / "config" / "console.json"
    async with console(demo, preferences=kept) as pilot:
        await pilot.press("v")
        await until(pilot, lambda: isinstance(pilot.app.screen, ColumnsScreen))
        await pilot.press("down", "space", "down", "down", "K", "K", "K", "enter")
        await until(pilot, lambda: not isinstance(pilot.app.screen, ColumnsScreen))
        assert lines(pilot)[0].split()[:3] == ["method", "gap", "n"]
    assert json.loads(kept.read_text())["columns"][:3] == ["gap", "n", "std"]
    async with console(demo, preferences=kept) as pilot:
        assert lines(pilot)[0].split()[:3] == ["method", "gap", "n"]


async def test_a_range_is_selected_with_shift_and_everything_with_a(demo):
    async with console(demo) as pilot:
        await press(pilot, "g", "shift+down", "J")
        assert len(table(pilot).selected) == 3
        await press(pilot, "a")
        assert len(table(pilot).runs()) == 18
        await press(pilot, "a")
        assert not table(pilot).selected


async def first_row(path, **options):
    async with console(path, (80, 24), **options) as pilot:
        runs = table(pilot)
        assert runs.cursor - runs.scroll_offset.y in range(runs.size.height - 1), "the cursor is out of sight"
        return runs.current()


async def test_the_cursor_starts_on_the_study_that_runs_else_on_numbers_else_on_the_newest(tmp_path):
    with Store(tmp_path / "runs.db", create=True) as store:
        for study in ("running", "measured", "queued", "newest"):
            store.add_runs([RunSpec.parse({"study": study, "seed": seed, "init": "nfm"}) for seed in range(2)])
        assert (await first_row(store.path)).title == "newest"
        for run in store.runs(study="measured"):
            store.claim(OWNER, [run.id])
            store.record_epoch(run.id, epoch_metrics(run, 1))
            store.finish(run.id, "done")
        assert (await first_row(store.path)).title == "measured"
        store.claim(OWNER)
        assert (await first_row(store.path)).title == "running"


async def test_the_cursor_starts_in_sight_below_many_studies_that_wait(tmp_path):
    with Store(tmp_path / "runs.db", create=True) as store:
        store.add_runs([RunSpec.parse({"study": f"s{i}"}) for i in range(40)])
        (first,) = store.runs(study="s0")
        store.claim(OWNER)
        assert store.run(first.id).status == "running"
        assert (await first_row(store.path)).title == "s0"
        save(tmp_path / "console.json", Preferences(grouped=False))
        assert (await first_row(store.path, preferences=tmp_path / "console.json")).run.id == first.id


async def test_the_cursor_stays_when_another_study_begins_to_run(tmp_path):
    with Store(tmp_path / "runs.db", create=True) as store:
        store.add_runs([RunSpec.parse({"study": study}) for study in ("old", "new")])
        async with console(store.path) as pilot:
            assert table(pilot).current().title == "new"
            store.claim(OWNER)
            await until(pilot, lambda: "1 running" in text(pilot, "#status"))
            assert table(pilot).current().title == "new"


@pytest.mark.parametrize("width", [20, 46, 68, 100, 196])
def test_columns_leave_the_name_its_place(width):
    for grouped in (True, False):
        shown = fitting(tuple(COLUMNS), width, grouped=grouped)
        assert not shown or sum(column.width for column in shown) <= width - 19


def test_every_column_words_every_row(demo):
    from agopconsole.tui.reader import _Known
    from agopconsole.tui.rows import HeadingRow, RowBuilder
    from agopconsole.tui.snapshot import Wanted

    with Store(demo) as store:
        snapshot = _Known(store).read(Wanted())
    for grouped in (True, False):
        rows = RowBuilder().build(snapshot, grouped=grouped, opened={}, keep=lambda run: True, arrange=list)
        for row in rows:
            if not isinstance(row, HeadingRow):
                assert all(isinstance(column.text(row), str) for column in COLUMNS.values())


def test_the_time_left_is_that_of_the_measured_epochs(demo):
    from agopconsole.tui.reader import _Known
    from agopconsole.tui.snapshot import Wanted

    with Store(demo) as store:
        assert _Known(store).read(Wanted()).paces == {16: 2.5}


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"columns": 3, "theme": "pink", "grouped": "yes"}'])
def test_preferences_that_cannot_be_used_are_as_usual(tmp_path, text):
    (tmp_path / "console.json").write_text(text)
    assert load(tmp_path / "console.json") == Preferences()


def test_preferences_come_back(tmp_path):
    wanted = Preferences(("best", "n"), grouped=False, charts=plots.USUAL[::-1], grid="2x1", theme="light")
    save(tmp_path / "a" / "console.json", wanted)
    assert load(tmp_path / "a" / "console.json") == wanted
