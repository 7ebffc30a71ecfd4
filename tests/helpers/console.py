"""Runs the console under a Pilot, and reads off what it shows, in words and in colours."""

import asyncio
import string
from contextlib import asynccontextmanager

from helpers.console_states import DEVICES
from rich.style import Style

from agopconsole.tui.app import ConsoleApp
from agopconsole.tui.frame import screen_strips
from agopconsole.tui.run_table import RunTable


@asynccontextmanager
async def console(path, size=(120, 40), *, wait=True, **options):
    """The console on a store; yields its Pilot once the first runs are on the screen."""
    app = ConsoleApp(path, **{"devices": lambda: DEVICES, **options})
    async with app.run_test(size=size) as pilot:
        if wait:
            await until(pilot, lambda: app.caught_up)
        yield pilot
    assert app.reader.join(5), "the reader did not end with the console"


async def until(pilot, condition, seconds=30.0):
    """Lets the app work until the condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await pilot.pause(0.01)
    await pilot.pause()


async def press(pilot, *keys):
    """Presses keys, after each waiting until the screen shows what it asks for."""
    for key in keys:
        await pilot.press(key)
        await until(pilot, lambda: pilot.app.caught_up)


def table(pilot):
    """The table of the main screen, whatever is on top of it."""
    return pilot.app.screen_stack[1].query_one(RunTable)


def lines(pilot):
    """The lines of the table, the names of the columns first."""
    return [table(pilot).render_line(y).text for y in range(len(table(pilot).rows) + 1)]


def text(pilot, selector):
    """The text of a widget on the screen on top."""
    content = pilot.app.screen.query_one(selector).content
    return content if isinstance(content, str) else content.plain


def screen_colours(app):
    """The colours of what the app shows: what each letter stands for, then each line as letters and run lengths."""
    letters, lines = {}, []
    for strip in screen_strips(app):
        runs = []
        for segment in strip:
            style = segment.style or Style.null()
            pair = tuple(colour.get_truecolor().hex if colour else "none" for colour in (style.color, style.bgcolor))
            if not segment.text.strip():
                pair = ("any", pair[1])  # nobody sees the ink of a blank
            elif not segment.text.strip("▀"):
                pair = ("a picture", "a picture")  # whose colours are no theme's
            letter = letters.setdefault(" on ".join(pair), string.ascii_letters[len(letters)])
            if runs and runs[-1][0] == letter:
                runs[-1][1] += segment.cell_length
            else:
                runs.append([letter, segment.cell_length])
        lines.append(" ".join(f"{letter}{length}" for letter, length in runs))
    return "\n".join([*(f"{letter} {pair}" for pair, letter in letters.items()), "", *lines])
