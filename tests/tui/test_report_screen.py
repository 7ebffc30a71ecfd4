"""The report on the screen: by any metric, against any baseline, beside the poster, to a file."""

from helpers.console import console, text, until
from helpers.stored_runs import add_done
from textual.geometry import Region

from agopconsole.analysis.colours import WARNING, method_colour
from agopconsole.tui.dialogs import PromptScreen
from agopconsole.tui.report_screen import ReportScreen
from agopconsole.tui.run_table import RunTable
from agopconsole.tui.theme import CAUTION


async def open_report(pilot):
    await pilot.press("r")
    await until(pilot, lambda: isinstance(pilot.app.screen, ReportScreen) and pilot.app.screen._report is not None)


async def test_it_shows_the_table_and_its_questions_change_by_key(demo):
    async with console(demo, (160, 40)) as pilot:
        await open_report(pilot)
        assert "kaiming_nfm" in text(pilot, "#report-table")
        before = text(pilot, "#heading")
        assert "digits-transfer" in before
        for key in "mbs":
            await pilot.press(key)
            await until(pilot, lambda before=before: text(pilot, "#heading") != before)
            before = text(pilot, "#heading")
        await pilot.press("p")
        await until(pilot, lambda: "beside the poster" in text(pilot, "#heading"))
        await pilot.press("escape")
        assert not isinstance(pilot.app.screen, ReportScreen)


async def test_methods_have_their_colours_and_what_to_beware_of_those_of_the_console(demo):
    async with console(demo, (200, 50)) as pilot:
        await open_report(pilot)
        await until(pilot, lambda: "diverged" in text(pilot, "#report-table"))
        table = pilot.app.screen.query_one("#report-table").content
        coloured = {}
        for span in table.spans:
            coloured.setdefault(str(span.style), []).append(table.plain[span.start : span.end])
        for line in table.plain.split("\n"):
            if "■" in line:
                method = line.split("■ ")[1].split("  ")[0]
                assert coloured[method_colour(method)] == ["■"]
        assert "2 diverged" in coloured[WARNING]
        assert set(coloured[CAUTION]) == {"1 at chance", "1 unfinished"}
        assert sum("■" in line for line in table.plain.split("\n")) == 6


async def test_it_opens_with_the_study_under_the_cursor(store):
    for study in ("early", "late"):
        add_done(store, 90.0, study=study)
    async with console(store.path) as pilot:
        table = pilot.app.screen.query_one(RunTable)
        for study in ("late", "early"):
            while table.current().runs[0].study != study:
                await pilot.press("down" if study == "early" else "up")
            await open_report(pilot)
            assert pilot.app.screen._report.study == study
            await pilot.press("escape")


async def test_it_is_written_to_a_file(demo, tmp_path):
    async with console(demo) as pilot:
        await open_report(pilot)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(pilot.app.screen, PromptScreen))
        pilot.app.screen.query_one("Input").value = str(tmp_path / "report.csv")
        await pilot.press("enter")
        await until(pilot, lambda: (tmp_path / "report.csv").exists())
    assert "kaiming_nfm" in (tmp_path / "report.csv").read_text()


async def test_in_a_narrow_window_the_table_scrolls_sideways_and_the_sentences_are_wrapped(demo):
    async with console(demo, (80, 24)) as pilot:
        await open_report(pilot)
        await until(pilot, lambda: text(pilot, "#report-words"))
        words, table = pilot.app.screen.query_one("#report-words"), pilot.app.screen.query_one("#report-sideways")
        drawn = [line.text.rstrip() for line in words.render_lines(Region(0, 0, *words.size))]
        assert " ".join(" ".join(drawn).split()) == " ".join(text(pilot, "#report-words").split())
        assert max(map(len, drawn)) <= words.size.width < 80
        assert max(map(len, text(pilot, "#report-table").split("\n"))) > table.size.width
        place = words.region
        await pilot.press("right", "right")
        await until(pilot, lambda: table.scroll_x == 16)
        assert words.region == place
        await pilot.press("left", "left", "left")
        await until(pilot, lambda: table.scroll_x == 0)
