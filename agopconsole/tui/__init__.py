"""The console's screens: they read the store and write nothing but requests into it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["run_tui"]


def run_tui(store_path: Path) -> None:
    """Shows the console on the store at `store_path` until the user quits."""
    from agopconsole.tui.app import ConsoleApp  # textual is slow to import, and a command line may only ask for help

    ConsoleApp(store_path).run()
