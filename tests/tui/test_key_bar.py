"""The line of keys at the bottom: what it shows at which width, and what it keeps of what it no longer shows."""

import gc

import pytest
from helpers.console import console, press, until
from textual.widgets._footer import FooterKey

from agopconsole.tui.key_bar import KeyBar


def shown(pilot):
    return [key.description for key in pilot.app.screen.query_one(KeyBar).query(FooterKey)]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
async def test_every_key_that_is_shown_is_shown_whole_and_help_always(demo, width):
    async with console(demo, (width, 24)) as pilot:
        bar = pilot.app.screen.query_one(KeyBar)
        await until(pilot, lambda: bar.size.width and "Help" in shown(pilot))
        assert all(key.region.right <= width for key in bar.query(FooterKey))
        assert shown(pilot)[:2] == ["Select", "Group"]


async def test_a_wider_window_shows_more_keys_and_a_narrower_one_fewer(demo):
    async with console(demo, (80, 24)) as pilot:
        await until(pilot, lambda: "Quit" not in shown(pilot))
        await pilot.resize_terminal(200, 50)
        await until(pilot, lambda: "Quit" in shown(pilot))
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "Quit" not in shown(pilot))


async def test_a_chart_is_offered_the_whole_screen_and_one_that_has_it_the_way_back(demo):
    async with console(demo) as pilot:
        await until(pilot, lambda: "Quit" in shown(pilot))
        assert not {"Full screen", "All charts"} & {*shown(pilot)}
        await pilot.click("#chart-1", offset=(20, 3))
        await until(pilot, lambda: "Full screen" in shown(pilot) and "All charts" not in shown(pilot))
        for now, after in (("Full screen", "All charts"), ("All charts", "Full screen")):
            assert now in shown(pilot)
            await press(pilot, "enter")
            await until(pilot, lambda now=now, after=after: after in shown(pilot) and now not in shown(pilot))
        assert len(pilot.app.screen.grid.in_sight()) == 2


async def test_keys_that_are_no_longer_shown_are_let_go(demo):
    async with console(demo) as pilot:

        async def shown_ever():
            for _ in range(2):
                await press(pilot, "m", "escape")
            gc.collect()
            return sum(isinstance(one, FooterKey) for one in gc.get_objects())

        await shown_ever()
        before = await shown_ever()
        assert await shown_ever() <= before
