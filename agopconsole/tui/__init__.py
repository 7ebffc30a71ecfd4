"""The console's screens: they read the store and write nothing but requests into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agopconsole.store import Store

__all__ = ["one_frame", "run_tui"]


def run_tui(
    store_path: Path, *, data: Path | None = None, start_worker: Callable[[Store], bool] | None = None
) -> None:
    """Shows the console on the store at `store_path` until the user quits.

    Args:
        store_path: the store.
        data: folder of the data sets; None for the user's own.
        start_worker: starts a worker where none is alive, and says whether it did; None to leave that.
    """
    # textual is slow to import, and a command line may only ask for help
    from agopconsole.tui.app import ConsoleApp
    from agopconsole.tui.preferences import usual_path
    from agopconsole.tui.terminal import can_unicode, is_light

    app = ConsoleApp(
        store_path,
        data=data,
        preferences=usual_path(),
        light=is_light(),
        unicode=can_unicode(),
        start_worker=start_worker,
    )
    app.run()


def one_frame(store_path: Path, size: str, *, unicode: bool) -> str:
    """One frame of the console as text; `size` is `120x40`, columns by lines.

    Raises:
        RequestError: if the size is none.
        WorkError: if the store does not answer.
    """
    from agopconsole.tui import frame

    return frame.frame_text(store_path, frame.parse_size(size), unicode=unicode)
