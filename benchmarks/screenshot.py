"""Renders the console on a store to an SVG file, for the README.

    python benchmarks/screenshot.py runs.db docs/console.svg --size 120x40 --press down,space

The same store, size and keys give the same picture, but for the age of a worker's last sign of life.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from agopconsole.tui.app import ConsoleApp

STILL = 5
"""Looks in a row at which nothing may be left to draw."""

TIMEOUT_SECONDS = 20.0


def main() -> None:
    """Reads the arguments, writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("svg", type=Path)
    parser.add_argument("--size", default="120x40", help="columns x lines")
    parser.add_argument("--press", default="", help="keys to press first, separated by commas")
    parser.add_argument("--title", default="agopconsole tui")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    keys = [key for key in options.press.split(",") if key]
    svg = asyncio.run(render(options.store, (width, height), keys, options.title))
    options.svg.write_text(svg, encoding="utf-8")
    print(f"{options.svg}: {width} x {height}, {len(svg) / 1024:.0f} KiB")


async def render(store: Path, size: tuple[int, int], keys: list[str], title: str) -> str:
    """The console on `store` after those keys, as SVG."""
    app = ConsoleApp(store, devices=lambda: ())  # what this machine does is no part of the picture
    async with app.run_test(size=size) as pilot:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            for step in [[], *([key] for key in keys)]:
                await pilot.press(*step)
                still = 0
                while still < STILL:  # what a key asks for may begin only some messages later
                    await pilot.pause(0.05)
                    still = still + 1 if app.caught_up else 0
        return app.export_screenshot(title=title)


if __name__ == "__main__":
    main()
