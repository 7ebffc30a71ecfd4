"""The console's screens: they read the store and write nothing but requests into it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["one_frame", "run_tui"]


def run_tui(store_path: Path) -> None:
    """Shows the console on the store at `store_path` until the user quits."""
    # textual is slow to import, and a command line may only ask for help
    from agopconsole.tui.app import ConsoleApp
    from agopconsole.tui.preferences import usual_path
    from agopconsole.tui.terminal import can_unicode, is_light

    ConsoleApp(store_path, preferences=usual_path(), light=is_light(), unicode=can_unicode()).run()


def one_frame(store_path: Path, size: str, *, unicode: bool) -> str:
    """One frame of the console as text; `size` is `120x40`, columns by lines.

    Raises:
        RequestError: if the size is none.
        WorkError: if the store does not answer.
    """
    from agopconsole.tui import frame

    return frame.frame_text(store_path, frame.parse_size(size), unicode=unicode)
