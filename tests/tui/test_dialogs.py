"""Dialogs: whatever asks or tells stands in the middle of the screen that it is about, and that shows through."""

import re

import pytest
from helpers.console import console, until
from textual.screen import ModalScreen

from agopconsole.tui.frame import screen_strips, screen_text
from agopconsole.tui.jump_screen import JumpScreen


def pictured(svg):
    """The words of a picture."""
    return " ".join(re.findall(r">([^<>]+)</text>", svg)).replace("&#160;", " ")


@pytest.mark.parametrize("light", [False, True])
@pytest.mark.parametrize("key", ["m", "v", "d", "e", "question_mark"])
async def test_a_dialog_stands_in_the_middle_above_its_screen(demo, key, light):
    async with console(demo, (160, 50), light=light) as pilot:
        before = screen_text(pilot.app).split("\n")
        colours = {style.color for style in styles(pilot.app, row=0)}
        await pilot.press(key)
        await until(pilot, lambda: isinstance(pilot.app.screen, ModalScreen))
        dialog = pilot.app.screen.children[0].region
        assert abs(dialog.x - (160 - dialog.right)) <= 1
        assert abs(dialog.y - (50 - dialog.bottom)) <= 1
        after = screen_text(pilot.app).split("\n")
        beside = [i for i in range(50) if not dialog.y <= i < dialog.bottom]
        assert [after[i] for i in beside] == [before[i] for i in beside]
        assert colours.isdisjoint(style.color for style in styles(pilot.app, row=0)) or not beside  # dimmed
        picture = pictured(pilot.app.export_screenshot())
        assert "agopconsole" in picture
        assert "kaiming_uniform" in picture
        assert after[dialog.y + 2].strip()
        await pilot.press("escape")
        await until(pilot, lambda: screen_text(pilot.app).split("\n") == before)


async def test_the_letters_of_the_jump_mode_stand_on_a_screen_that_is_not_dimmed(demo):
    async with console(demo) as pilot:
        before = {style.color for style in styles(pilot.app, row=2)}
        await pilot.press("f")
        await until(pilot, lambda: isinstance(pilot.app.screen, JumpScreen))
        assert " a runs" in screen_text(pilot.app)
        assert {style.color for style in styles(pilot.app, row=2)} >= before


def styles(app, row):
    """How what is shown in a row is written."""
    return [segment.style for segment in screen_strips(app)[row] if segment.text.strip()]
