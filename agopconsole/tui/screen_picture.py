"""A screen as SVG with its half blocks as pixels: rich writes a text and a rectangle each, a megabyte a picture."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import groupby

_WIDTH, _LINE, _BASE, _TOP = 12.2, 24.4, 20, 1.5
"""In rich's SVG: a character and half a line, a line, its text's base, and where the ground of the first begins."""

_STYLE = re.compile(r"^ *\.([\w-]+-r\d+) \{ (?:fill: (#[0-9a-f]{6}))?.*\}\n", re.MULTILINE)
_BLOCKS = re.compile(r'<text class="([\w-]+)" x="([\d.]+)" y="([\d.]+)"[^>]*>(▀+)</text>')
_GROUND = re.compile(r'<rect fill="(#[0-9a-f]{6})" x="([\d.]+)" y="([\d.]+)" [^>]*shape-rendering="crispEdges"/>')
_TEXTS = re.compile(r'<g class="[\w-]+-matrix">')

_Pixels = dict[tuple[int, int], str]
"""Colours by row and column."""


def with_pixels(svg: str) -> str:
    """An SVG of rich's in which the two halves of every half block are squares, those of a colour in one path."""
    fills = {style[1]: style[2] for style in _STYLE.finditer(svg)}
    lengths: dict[tuple[int, int], int] = {}
    pixels: _Pixels = {}

    def upper(found: re.Match[str]) -> str:
        column, line = round(float(found[2]) / _WIDTH), round((float(found[3]) - _BASE) / _LINE)
        lengths[line, column] = len(found[4])
        pixels.update(((2 * line, column + i), fills[found[1]]) for i in range(len(found[4])))
        return ""

    def lower(found: re.Match[str]) -> str:
        column, line = round(float(found[2]) / _WIDTH), round((float(found[3]) - _TOP) / _LINE)
        length = lengths.get((line, column), 0)
        pixels.update(((2 * line + 1, column + i), found[1]) for i in range(length))
        return "" if length else found[0]

    svg = _GROUND.sub(lower, _BLOCKS.sub(upper, svg))
    used = set(re.findall(r'class="([\w-]+)"', svg))
    svg = _STYLE.sub(lambda style: style[0] if style[1] in used else "", svg)
    return _TEXTS.sub(lambda texts: _paths(pixels) + texts[0], svg)


def _paths(pixels: _Pixels) -> str:
    def stretch(numbered: tuple[int, tuple[tuple[int, int], str]]) -> tuple[int, int, str]:
        i, ((row, column), colour) = numbered
        return row, column - i, colour

    drawn: dict[str, str] = defaultdict(str)
    for (_, _, colour), run in groupby(enumerate(sorted(pixels.items())), stretch):
        (_, ((row, column), _)), *others = run
        drawn[colour] += f"M{column},{row}h{1 + len(others)}v1h-{1 + len(others)}z"
    paths = "".join(f'<path fill="{colour}" d="{path}"/>' for colour, path in drawn.items())
    place = f'transform="translate(0,{_TOP}) scale({_WIDTH})" shape-rendering="crispEdges"'
    return f"<g {place}>{paths}</g>\n    " if paths else ""
