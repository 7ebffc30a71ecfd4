"""A run that a later version asked for, in the console: shown whole, compared, and not copied as a command."""

import pytest
from helpers.console import console, lines, press, text, until
from helpers.stored_runs import of_later_version

from agopconsole.store import Store
from agopconsole.tui.run_screen import RunScreen


@pytest.fixture
def later(demo):
    """The demo store with one run of a later version, done and with a start."""
    with Store(demo) as store:
        of_later_version(store, 4)
    return demo


async def test_it_stands_in_the_table_and_in_the_report(later):
    async with console(later, (160, 50)) as pilot:
        assert any("magic" in line for line in lines(pilot))
        await pilot.press("r")
        await until(pilot, lambda: "magic" in pilot.app.export_screenshot())


async def test_its_screen_shows_what_was_asked_for_and_how_it_differs_from_another(later):
    async with console(later) as pilot:
        pilot.app.open_screen(RunScreen(4))
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen) and pilot.app.caught_up)
        await until(pilot, lambda: "label_smoothing" in text(pilot, "#spec"))
        assert "resnet99" in text(pilot, "#spec")
        assert "features.18" in text(pilot, "#layer-lines")
        await pilot.press("o")
        await until(pilot, lambda: pilot.app.screen.query("#pick-filter"))
        pilot.app.screen.focused.value = "init:kaiming_normal seed:0"
        await until(pilot, lambda: pilot.app.screen.query_one("#pick-runs").option_count == 1)
        await pilot.press("enter")
        await until(pilot, lambda: "init  magic, there kaiming_normal\n" in text(pilot, "#spec"))
        assert "label_smoothing  0.1, there " in text(pilot, "#spec")


async def test_there_is_no_command_to_copy_for_it(later):
    async with console(later) as pilot:
        await press(pilot, "slash", *"init:magic", "enter", "y")
        await until(pilot, lambda: any("another version" in toast.message for toast in pilot.app._notifications))
        assert pilot.app.clipboard == ""
