"""One frame of the console as text, without a terminal: for scripts, for reports of issues and for tests."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual._context import visible_screen_stack
from textual.strip import Strip

from agopconsole.errors import RequestError, WorkError
from agopconsole.tui.app import ConsoleApp
from agopconsole.tui.terminal import ascii_text

_STILL = 3
"""Looks in a row at which nothing is left to draw: what a snapshot asks for may begin only some messages later."""

_PATIENCE_SECONDS = 20.0
_MOST = 1000


def parse_size(text: str) -> tuple[int, int]:
    """The columns and lines of `120x40`.

    Raises:
        RequestError: if it is not of that form.
    """
    columns, _, lines = text.partition("x")
    if not (columns.isdecimal() and lines.isdecimal() and 0 < int(columns) <= _MOST and 0 < int(lines) <= _MOST):
        raise RequestError(f"size '{text}' is not of the form 120x40, columns by lines, at most {_MOST} each")
    return int(columns), int(lines)


def frame_text(store_path: Path, size: tuple[int, int], *, unicode: bool = True) -> str:
    """The main screen on the store as it is now.

    Raises:
        WorkError: if the store does not answer.
    """
    text = asyncio.run(_frame(store_path, size))
    return text if unicode else ascii_text(text)


async def _frame(store_path: Path, size: tuple[int, int]) -> str:
    app = ConsoleApp(store_path)
    async with app.run_test(size=size) as pilot:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                still = 0
                while still < _STILL:
                    await pilot.pause(0.03)
                    still = still + 1 if app.settled else 0
        except TimeoutError:
            raise WorkError(f"the store {store_path} does not answer; another process may keep it locked") from None
        await pilot.pause()
        return screen_text(app)


def screen_text(app: ConsoleApp) -> str:
    """What the app shows, line by line, without colours."""
    return "\n".join(strip.text.rstrip() for strip in screen_strips(app))


def screen_strips(app: ConsoleApp) -> list[Strip]:
    """What the app shows, line by line; below a dialog the screen that shows through."""
    visible_screen_stack.set(app._background_screens)
    return app.screen._compositor.render_strips()  # Textual has no other way but SVG
