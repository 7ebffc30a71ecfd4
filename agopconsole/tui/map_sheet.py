"""Photo and maps side by side on a sheet that scrolls: a pair of pictures a layer, as many layers abreast as fit."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from agopconsole.analysis.colours import GREY
from agopconsole.analysis.photo_maps import StoredMaps
from agopconsole.tui.pixels import half_blocks, shades

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NARROWEST = 26
"""Columns of a picture in which an edge can still be told, and below which no layer is put beside another."""

_BETWEEN_PICTURES, _BETWEEN_PAIRS = 1, 3

_LEGEND = (
    "What each convolution sees: the length of M u for every patch u of its input, M its NFM on the left, the root of"
    " its AGOP on the right. Dark is the least in a map, bright the most."
)


@dataclass(frozen=True, slots=True)
class _Half:
    """One of the two places of a pair: a picture under its layer's name and its kind, or words."""

    name: str = ""
    kind: str = ""
    pixels: NDArray[np.floating[Any]] | None = None
    words: str = ""


class MapSheet(ScrollView, can_focus=True):
    """The maps of a photo.

    Args:
        id: in the style sheet.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus", "abreast(-1)", "Larger", tooltip="larger pictures, fewer side by side"),
        Binding("minus", "abreast(1)", "Smaller", tooltip="smaller pictures, more side by side"),
        Binding("j", "scroll_down", "Down", show=False, tooltip="further down, as the arrow keys do"),
        Binding("k", "scroll_up", "Up", show=False, tooltip="further up"),
    ]

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="panel")
        self.draws = True
        self._pairs: tuple[tuple[_Half, _Half], ...] = ()
        self._aspect = 1.0
        self._chosen: int | None = None
        self._rows: tuple[tuple[tuple[_Half, _Half], ...], ...] = ()
        self._width = self._high = 1
        self._drawn: dict[int, list[Segment]] = {}
        self._pictures: dict[int, NDArray[np.uint8]] = {}

    def show(self, maps: StoredMaps, *, draws: bool) -> None:
        """Shows these maps, in colours and half blocks or without."""
        _, height, width = maps.photo.shape
        self._aspect = height / width
        self.draws = draws
        legend = f"{maps.photo_path.name}, fed at {width} x {height}.\n{_LEGEND}"
        photo = (_Half("photo", pixels=maps.photo), _Half(words=legend))
        layers = ((_Half(one.layer, "NFM", one.nfm), _Half("", "AGOP^1/2", one.agop)) for one in maps.layers)
        self._pairs = (photo, *layers)
        self._fit()
        self.scroll_home(animate=False)

    def on_resize(self) -> None:
        """Lays the pictures out for the new room."""
        self._fit()

    def notify_style_update(self) -> None:
        """Draws anew in another theme."""
        super().notify_style_update()
        self._drawn.clear()

    def action_abreast(self, by: int) -> None:
        """Puts more or fewer layers side by side."""
        self._chosen = max(1, min(self._abreast() + by, self._most_abreast()))
        self._fit()

    # Layout

    @property
    def _room(self) -> int:
        return max(self.scrollable_content_region.width - 1, 2)  # the last column may be a scroll bar's

    def _picture_width(self, abreast: int) -> int:
        pair = (self._room + _BETWEEN_PAIRS) // abreast - _BETWEEN_PAIRS
        return max((pair - _BETWEEN_PICTURES) // 2, 1)

    def _picture_lines(self, width: int) -> int:
        return max(round(width * self._aspect / 2), 1)

    def _most_abreast(self) -> int:
        fitting = [n for n in range(1, len(self._pairs) + 1) if self._picture_width(n) >= _NARROWEST]
        return max(fitting, default=1)

    def _abreast(self) -> int:
        """As the user chose; else the largest pictures that all fit the screen, or where none do the smallest."""
        most = self._most_abreast()
        if self._chosen is not None:
            return min(self._chosen, most)
        height = self.scrollable_content_region.height
        return next((n for n in range(1, most) if self._height(n) <= height), most)

    def _height(self, abreast: int) -> int:
        rows = -(-len(self._pairs) // abreast)
        return rows * (self._picture_lines(self._picture_width(abreast)) + 2) - 1

    def _fit(self) -> None:
        abreast = self._abreast()
        self._rows = tuple(self._pairs[i : i + abreast] for i in range(0, len(self._pairs), abreast))
        self._width = self._picture_width(abreast)
        self._high = self._picture_lines(self._width)
        self._drawn.clear()
        self._pictures.clear()
        self.virtual_size = Size(self._room, self._height(abreast) if self._pairs else 0)
        self.refresh()

    # Drawing

    def render_line(self, y: int) -> Strip:
        """The line of the screen `y`, wherever the sheet is scrolled to."""
        line = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        base = self.rich_style
        if line >= self.virtual_size.height or not self._pairs:
            return Strip.blank(width, base)
        if line not in self._drawn:
            self._drawn[line] = list(self._segments(line))
        return Strip(self._drawn[line]).adjust_cell_length(width, base).apply_style(base)

    def _segments(self, line: int) -> Iterator[Segment]:
        row, y = divmod(line, self._high + 2)
        for pair in self._rows[row]:
            for half in pair:
                yield from self._part(half, y - 1)
                yield Segment(" " * _BETWEEN_PICTURES)
            yield Segment(" " * (_BETWEEN_PAIRS - _BETWEEN_PICTURES))

    def _part(self, half: _Half, y: int) -> Iterator[Segment]:
        """Line `y` of a picture, -1 for its title, in exactly the columns of a picture."""
        width = self._width
        if y < 0:
            name = f"{half.name}  "[:width] if half.name else ""
            yield Segment(name, Style(bold=True))
            yield Segment(half.kind[: width - len(name)].ljust(width - len(name)), Style(color=GREY))
        elif y >= self._high:
            yield Segment(" " * width)
        elif half.pixels is None:
            lines = [line for part in half.words.split("\n") for line in textwrap.wrap(part, width)]
            yield Segment((lines[y] if y < len(lines) else "").ljust(width), Style(color=GREY))
        else:
            pixels = self._picture(half.pixels)[2 * y : 2 * y + 2]
            if self.draws:
                yield from (Segment(sign, style) for sign, style in half_blocks(pixels))
            else:
                yield Segment(shades(pixels, dark=self.app.current_theme.dark))

    def _picture(self, values: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
        """The values at the size they are shown in, shape (lines of pixels, columns, 3)."""
        if id(values) not in self._pictures:
            import numpy as np
            from PIL import Image

            from agopconsole.analysis.pictures import picture

            shown = picture(values).convert("RGB").resize((self._width, 2 * self._high), Image.Resampling.BOX)
            self._pictures[id(values)] = np.asarray(shown)
        return self._pictures[id(values)]
