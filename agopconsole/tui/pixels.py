"""Pixels as characters: two above one another in a half block, or else a sign as dense as they are bright."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.color import Color
from rich.style import Style

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_RAMP = " .:-=+*#%@"
_LUMINANCE = (0.299, 0.587, 0.114)


def half_blocks(pixels: NDArray[np.uint8]) -> Iterator[tuple[str, Style]]:
    """The characters of one or two lines of pixels, shape (1 or 2, width, 3)."""
    for column in pixels.transpose(1, 0, 2).tolist():
        yield "▀", _style(*map(tuple, column))


def shades(pixels: NDArray[np.uint8], *, dark: bool) -> str:
    """The same in ASCII, on a dark ground or on a light one."""
    import numpy as np

    brightness = (pixels.astype(np.float64) @ np.array(_LUMINANCE)).mean(0)
    ramp = _RAMP if dark else _RAMP[::-1]
    return "".join(ramp[int(level * len(ramp) / 256)] for level in brightness.tolist())


@lru_cache(maxsize=65536)
def _style(upper: tuple[int, int, int], lower: tuple[int, int, int] | None = None) -> Style:
    return Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower) if lower is not None else None)
