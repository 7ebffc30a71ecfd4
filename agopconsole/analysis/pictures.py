"""Arrays as pictures, and pictures side by side on one sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MARGIN = 6
_FONT_SIZE = 14
_PAPER, _INK = "white", "black"


def picture(values: NDArray[np.floating[Any]]) -> Image.Image:
    """Values from 0 to 1 as a picture: shape (h, w) in greys, (3, h, w) in colour."""
    import numpy as np

    levels = (np.clip(values, 0, 1) * 255).round().astype(np.uint8)
    return Image.fromarray(levels if levels.ndim == 2 else np.ascontiguousarray(levels.transpose(1, 2, 0)))


def filter_tiles(filters: NDArray[np.floating[Any]], columns: int, side: int) -> Image.Image:
    """Filters of shape (k, 3, k_h, k_w) as square tiles of `side` pixels, row by row; grey stands for 0."""
    gap = max(side // 12, 1)
    rows = -(-len(filters) // columns)
    sheet = Image.new("RGB", (columns * (side + gap) - gap, rows * (side + gap) - gap), _PAPER)
    for i, values in enumerate(filters):
        tile = picture(0.5 + values / (2 * abs(values).max()))
        place = (i % columns * (side + gap), i // columns * (side + gap))
        sheet.paste(tile.resize((side, side), Image.Resampling.NEAREST), place)
    return sheet


def sheet(
    rows: Sequence[Sequence[Image.Image | None]],
    size: tuple[int, int],
    *,
    headings: Sequence[str] = (),
    labels: Sequence[str] = (),
) -> Image.Image:
    """Pictures in a grid of cells of one size, which a smaller picture is scaled up to in blocks.

    Args:
        rows: of equal length; None leaves a cell empty.
        size: width and height of a cell in pixels.
        headings: above the columns.
        labels: left of the rows.
    """
    font = ImageFont.load_default(_FONT_SIZE)
    width, height = size
    left = max((int(font.getlength(label)) + 2 * _MARGIN for label in labels), default=_MARGIN)
    top = _FONT_SIZE + 2 * _MARGIN if headings else _MARGIN
    whole = Image.new(
        "RGB",
        (left + max(map(len, rows)) * (width + _MARGIN), top + len(rows) * (height + _MARGIN)),
        _PAPER,
    )
    draw = ImageDraw.Draw(whole)
    for column, heading in enumerate(headings):
        draw.text((left + column * (width + _MARGIN), _MARGIN // 2), heading, fill=_INK, font=font)
    for row, cells in enumerate(rows):
        y = top + row * (height + _MARGIN)
        if labels:
            draw.text((_MARGIN, y + height // 2 - _FONT_SIZE), labels[row], fill=_INK, font=font)
        for column, cell in enumerate(cells):
            if cell is not None:
                shown = cell.convert("RGB").resize(size, Image.Resampling.NEAREST)
                whole.paste(shown, (left + column * (width + _MARGIN), y))
    return whole


def stacked(*sheets: Image.Image) -> Image.Image:
    """One sheet above the other."""
    whole = Image.new("RGB", (max(s.width for s in sheets), sum(s.height for s in sheets)), _PAPER)
    y = 0
    for one in sheets:
        whole.paste(one, (0, y))
        y += one.height
    return whole
