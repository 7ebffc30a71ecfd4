"""What the console makes of its terminal, its devices and its own commands."""

import math
from pathlib import Path

import pytest
from helpers.console import console, press, table, text, until

from agopconsole.analysis.page import _SYMBOLS
from agopconsole.tui.commands import commands
from agopconsole.tui.devices import parse_gpus, read_devices
from agopconsole.tui.frame import screen_text
from agopconsole.tui.help_screen import HelpScreen
from agopconsole.tui.jump_screen import JumpScreen
from agopconsole.tui.terminal import ascii_text, can_unicode, is_light, luminance_of
from agopconsole.tui.theme import DARK, LIGHT


@pytest.mark.parametrize(
    ("ground", "light"), [("15;0", False), ("0;15", True), ("0;default;7", True), ("12;8", False)]
)
def test_the_ground_is_read_from_the_environment(ground, light):
    assert is_light({"COLORFGBG": ground}) is light


def test_a_terminal_that_does_not_answer_is_dark():
    assert is_light({}) is False


def test_the_answer_of_a_terminal_is_understood():
    assert luminance_of(b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?1;2c") == pytest.approx(1.0)
    assert luminance_of(b"\x1b]11;rgb:14/17/1b\x07") < 0.1
    assert luminance_of(b"\x1b[?1;2c") is None


@pytest.mark.parametrize(
    ("locale", "can"), [({"LANG": "en_GB.UTF-8"}, True), ({"LC_ALL": "C", "LANG": "de_DE.utf8"}, False), ({}, False)]
)
def test_ascii_alone_where_the_locale_knows_no_more(locale, can):
    assert can_unicode(locale) is can


async def test_without_unicode_every_sign_is_ascii_and_the_lines_are_as_long(demo):
    async with console(demo) as pilot:
        wide = screen_text(pilot.app)
    async with console(demo, unicode=False) as pilot:
        plain = screen_text(pilot.app)
    assert plain.isascii()
    assert "?" not in plain.replace("? Help", "")
    assert plain == ascii_text(wide)


async def test_without_colours_and_unicode_the_lines_of_a_chart_still_differ(demo, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with console(demo, unicode=False) as pilot:
        plain = screen_text(pilot.app)
        assert len({ascii_text(symbol) for symbol in pilot.app.screen.query_one("#chart-1").picture.symbols}) == 6
    assert "?" not in plain.replace("? Help", "")
    assert len({ascii_text(symbol) for symbol in _SYMBOLS}) == len(_SYMBOLS)


@pytest.mark.parametrize("size", [(20, 5), (35, 24), (80, 8), (1, 1)])
async def test_a_window_that_is_too_small_says_so_and_one_that_grows_shows_all(demo, size):
    async with console(demo, size) as pilot:
        assert size == (1, 1) or "too small" in screen_text(pilot.app)
        await press(pilot, "down", "g", "space", "tab")
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        shown = screen_text(pilot.app)
        assert "too small" not in shown
        assert "kaiming" in shown


async def test_what_had_the_focus_has_it_again_once_there_is_room(demo):
    async with console(demo, (80, 24)) as pilot:
        for key, focused in (("down", "runs"), ("n", "field-init")):
            await press(pilot, key)
            await until(pilot, lambda focused=focused: pilot.app.focused and pilot.app.focused.id == focused)
            await pilot.resize_terminal(20, 5)
            await until(pilot, lambda: "too small" in screen_text(pilot.app))
            await pilot.resize_terminal(80, 24)
            await until(pilot, lambda: "too small" not in screen_text(pilot.app))
            assert pilot.app.focused.id == focused


async def test_light_and_dark_differ_in_colours_alone(demo, tmp_path):
    kept = tmp_path / "console.json"
    async with console(demo, light=True, preferences=kept) as pilot:
        assert pilot.app.theme == LIGHT.name
        before = screen_text(pilot.app)
        await pilot.press("t")
        assert pilot.app.theme == DARK.name
        await pilot.pause()
        assert screen_text(pilot.app) == before
    async with console(demo, light=True, preferences=kept) as pilot:
        assert pilot.app.theme == DARK.name


async def test_help_and_palette_list_every_key_that_acts(demo):
    async with console(demo) as pilot:
        listed = list(commands(pilot.app.screen))
        found = {command.title: command for command in listed}
        for title in (
            "Filter",
            "Cancel",
            "Pause",
            "Resume",
            "Queue again",
            "Remove",
            "Export",
            "Copy command",
            "Jump",
        ):
            assert found[title].keys
        offered = {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert {f"{c.title}  ({c.keys})" for c in listed} == offered | {"All charts  (enter)"}  # of a full screen
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        page = " ".join(text(pilot, "HelpScreen Static").split())
        assert all(command.about in page for command in found.values())


async def test_no_key_needs_more_than_a_plain_terminal_sends(demo):
    async with console(demo) as pilot:
        for command in commands(pilot.app.screen):
            assert any("+" not in key.strip("+") for key in command.keys.split())


async def test_a_picture_is_saved_where_the_console_was_started(demo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with console(demo) as pilot:
        await pilot.press("i")
        await until(pilot, lambda: list(tmp_path.glob("*.svg")))
        assert "kaiming_nfm" in next(tmp_path.glob("*.svg")).read_text()
        monkeypatch.setattr(pilot.app, "save_screenshot", lambda *_: Path("no/such/folder").touch())
        await pilot.press("i")
        notices = [str(notice.message) for notice in pilot.app._notifications]
        assert "no picture was saved: No such file or directory" in notices


async def test_a_letter_jumps_to_a_part(demo):
    async with console(demo) as pilot:
        await pilot.press("slash")
        await pilot.press("enter")
        pilot.app.screen.set_focus(None)
        await pilot.press("f")
        await until(pilot, lambda: isinstance(pilot.app.screen, JumpScreen))
        letter = next(c for c, target in pilot.app.screen._targets.items() if target is table(pilot))
        await pilot.press(letter)
        await until(pilot, lambda: pilot.app.focused is table(pilot))


async def test_the_devices_are_below(demo):
    async with console(demo) as pilot:
        await until(pilot, lambda: "GPU0 H100" in text(pilot, "#devices"))
        line = text(pilot, "#devices")
        assert "91 %   31/80 GiB   62 C   410 W" in line
        assert "#16 kaiming_nfm s2  12/20" in line


def test_what_nvidia_smi_prints_is_read_and_what_it_does_not_know_is_not_a_number():
    text = "0, NVIDIA H100 80GB HBM3, 91, 31744, 81559, 62, 410.25\n1, Tesla T4, [N/A], 0, 15360, 40, [N/A]\nbroken\n"
    first, second = parse_gpus(text)
    assert (first.name, first.utilisation, first.temperature, first.power) == ("GPU0 H100", 91.0, 62.0, 410.25)
    assert first.memory_total == 81559 * 2**20
    assert second.name == "GPU1 Tesla"
    assert math.isnan(second.utilisation)
    assert math.isnan(second.power)


def test_every_machine_has_a_processor():
    processor = read_devices()[-1]
    assert processor.name == "CPU"
    assert 0 < processor.memory_used < processor.memory_total
