"""Eigenvectors of first layers as little pictures, two pixels above one another in a character."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from agopconsole.analysis.colours import GREY
from agopconsole.analysis.filters import Filters
from agopconsole.tui.pixels import half_blocks
from agopconsole.tui.stored_filters import StoredFilters

_LEAST = 6
"""Columns that a picture has at least: those of smaller filters are drawn in blocks."""


def filters_text(found: Sequence[StoredFilters], width: int, *, draws: bool) -> Text:
    """A row of pictures a matrix, and below each what it has of the trace.

    Args:
        found: the matrices.
        width: columns that there are.
        draws: whether the terminal has the colours and the signs that it takes.
    """
    if not found:
        return Text("no weights kept yet", GREY)
    text = Text()
    for one in found:
        text.append(one.title, "bold")
        if one.filters is None:
            text.append(f"\n{one.lack}", GREY)
        elif not draws:
            text.append("\nthe pictures take colours and half blocks", GREY)
        else:
            text.append(f", {one.filters.layer}", GREY).append_text(_row(one.filters, width))
        text.append("\n")
    text.rstrip()
    return text


def _row(filters: Filters, width: int) -> Text:
    pictures = filters.pictures()
    block = max(_LEAST // pictures.shape[2], 1)
    columns = block * pictures.shape[2]
    shown = pictures[: max((width + 1) // (columns + 1), 1)].repeat(block, 1).repeat(block, 2)
    row = Text()
    for y in range(0, shown.shape[1], 2):
        row.append("\n")
        for picture in shown:
            for sign, style in half_blocks(picture[y : y + 2]):
                row.append(sign, style)
            row.append(" ")
        row.right_crop()
    shares = (f"{100 * share:.0f}%"[:columns].center(columns) for share in filters.shares[: len(shown)])
    return row.append("\n").append(" ".join(shares).rstrip(), GREY)
