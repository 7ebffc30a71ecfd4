"""One colour a method, the same on every screen and chart.

The presets have fixed colours (Okabe & Ito 2008 and Tol 2021 where they reach, so that the usual rivals stay apart
for colour-blind eyes), and so have the variants of the studies that come with the console, as far as can be from what
they are compared with; any other label gets a hue of its own from a digest of its text. All of them keep a contrast
of 3:1 to a dark background and 2:1 to a white one.
"""

from __future__ import annotations

import colorsys
import hashlib

GREY = "#808080"
"""What belongs to no method: axes, the zero line, words on a chart."""

WARNING = "#e5484d"
"""What a reader must not overlook: diverged, failed."""

_PRESETS: dict[str, str] = {
    "default": "#8f8f8f",
    "normal": "#b07d62",
    "uniform": "#a8a04b",
    "xavier_normal": "#44aa99",
    "xavier_uniform": "#7a9a3a",
    "kaiming_normal": "#4a7fd4",
    "kaiming_uniform": "#56b4e9",
    "orthogonal": "#b05ac0",
    "lsuv": "#2ed030",
    "delta_orthogonal": "#517031",
    "lecun_normal": "#8878c8",
    "mimetic": "#f20d80",
    "nfm": "#009e73",
    "agop": "#cc79a7",
    "kaiming_nfm": "#e69f00",
    "kaiming_agop": "#d55e00",
    "pretrained": "#c2b280",
}
_OF_STUDIES: dict[str, str] = {
    "nfm scale=lsuv basis=centred": "#e637b2",
    "nfm scale=lsuv basis=aligned": "#f089f0",
    "agop scale=lsuv basis=centred": "#8eac15",
    "agop scale=lsuv power=0.5 layers=first:3": "#19c8c8",
    "kaiming_normal scale=lsuv": "#a65980",
    "kaiming_normal scale=lsuv basis=centred": "#bda9d1",
    "kaiming_nfm basis=rotated": "#44787e",
    "kaiming_nfm scale=poster": "#b237e6",
    "kaiming_agop basis=rotated": "#15ac15",
    "kaiming_agop scale=poster": "#8fc15c",
}
"""Variants that the studies in `configs/` compare with presets and with one another."""

_SEED_SHADES = (0.0, 0.35, -0.25, 0.6, -0.4)


def method_colour(label: str) -> str:
    """The colour "#rrggbb" of a method's label; the same in every process."""
    if known := _PRESETS.get(label) or _OF_STUDIES.get(label):
        return known
    digest = hashlib.sha256(label.encode()).digest()
    hue = int.from_bytes(digest[:2]) / 65536
    rgb = colorsys.hls_to_rgb(hue, 0.5, 0.45 + digest[2] / 255 * 0.3)
    return to_hex(_within_contrast(rgb))


def run_colour(label: str, seed: int) -> str:
    """The colour of one run: its method's, lighter or darker by the seed, so that repeats can be told apart."""
    shade = _SEED_SHADES[seed % len(_SEED_SHADES)]
    target = 1.0 if shade > 0 else 0.0
    return to_hex(tuple(c + (target - c) * abs(shade) for c in to_unit(method_colour(label))))


def faded(colour: str) -> str:
    """`colour` most of the way to grey: for a band behind a line, on a dark or a light background alike."""
    return to_hex(tuple(0.4 * c + 0.6 * 0.4 for c in to_unit(colour)))


def to_unit(colour: str) -> tuple[float, ...]:
    """The red, green and blue of "#rrggbb", each 0 to 1."""
    return tuple(value / 255 for value in to_rgb(colour))


def to_rgb(colour: str) -> tuple[int, int, int]:
    """The red, green and blue of "#rrggbb", each 0 to 255."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def to_hex(rgb: tuple[float, ...]) -> str:
    """The "#rrggbb" of red, green and blue, each 0 to 1."""
    return "#" + "".join(f"{round(c * 255):02x}" for c in rgb)


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.2, 0 (black) to 1 (white)."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_unit(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _within_contrast(rgb: tuple[float, ...]) -> tuple[float, ...]:
    """`rgb` lightened or darkened until it can be read on both backgrounds."""
    while luminance(to_hex(rgb)) < 0.2:
        rgb = tuple(c + (1 - c) * 0.08 for c in rgb)
    while luminance(to_hex(rgb)) > 0.45:
        rgb = tuple(c * 0.95 for c in rgb)
    return rgb
