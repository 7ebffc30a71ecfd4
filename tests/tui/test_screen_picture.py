"""A screen as SVG: its half blocks become squares of the same colours, and the rest stays as it was."""

import io
import re

import numpy as np
from rich.console import Console
from rich.segment import Segment

from agopconsole.tui.pixels import half_blocks
from agopconsole.tui.screen_picture import with_pixels


def screen(lines):
    console = Console(width=40, file=io.StringIO(), record=True, force_terminal=True, color_system="truecolor")
    for line in lines:
        for segment in line:
            console.print(segment.text, style=segment.style, end="")
        console.print()
    return console.export_svg(title="test")


def squares(svg):
    """The colour of every pixel of every path."""
    found = {}
    for colour, path in re.findall(r'<path fill="(#\w+)" d="([^"]+)"/>', svg):
        for column, row, length in re.findall(r"M(\d+),(\d+)h(\d+)v1h-\3z", path):
            found.update(((int(row), int(column) + i), colour) for i in range(int(length)))
    return found


def test_half_blocks_are_pixels():
    pixels = np.random.default_rng(0).integers(0, 4, (6, 30, 3)).astype(np.uint8) * 60
    blocks = [[Segment(sign, style) for sign, style in half_blocks(pixels[i : i + 2])] for i in (0, 2, 4)]
    svg = screen([[Segment("above")], *[[Segment("  "), Segment("▀"), *line] for line in blocks]])
    small = with_pixels(svg)
    grey = squares(small).pop((2, 2))  # a half block without a ground has one half
    assert re.fullmatch("#[0-9a-f]{6}", grey)
    expected = {
        (2 + row, 3 + column): "#{:02x}{:02x}{:02x}".format(*colour)
        for (row, column), colour in zip(np.ndindex(6, 30), pixels.reshape(-1, 3).tolist(), strict=True)
    }
    assert {place: colour for place, colour in squares(small).items() if place[1] > 2} == expected
    assert "▀" not in small
    assert ">above</text>" in small
    assert len(small) < len(svg) / 2


def test_another_picture_stays_as_it_is():
    svg = screen([[Segment("a "), Segment("curve ⣀⡠⠤")]])
    assert with_pixels(svg) == svg
