"""What tells the curves of a figure apart beside their colours: dashes and markers, in grey and for any eye.

There are more methods than colours that stay apart for colour-blind eyes, and in print there may be none. Of the
first 35 curves no two share both dashes and marker, and neighbours share neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_DASHES: tuple[tuple[float, ...], ...] = (
    (),
    (6.0, 2.0),
    (1.2, 1.5),
    (7.0, 1.5, 1.2, 1.5),
    (3.0, 1.2),
)
_MARKERS = ("o", "s", "^", "D", "v", "P", "*")
"""Neither the cross, which stands for a run that diverged, nor what needs a rim."""


@dataclass(frozen=True, slots=True)
class LineStyle:
    """How a curve is drawn.

    Attributes:
        dashes: lengths of ink and gap in turn, in widths of the line; none for a solid one.
        marker: matplotlib's letter for the mark on its points.
    """

    dashes: tuple[float, ...]
    marker: str


def line_styles(names: Iterable[str]) -> dict[str, LineStyle]:
    """A style for each name, in the order in which they come first."""
    return {
        name: LineStyle(_DASHES[place % len(_DASHES)], _MARKERS[place % len(_MARKERS)])
        for place, name in enumerate(dict.fromkeys(names))
    }
