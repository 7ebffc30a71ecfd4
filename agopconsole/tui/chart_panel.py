"""One chart in a frame: the painter draws it to the size of the panel, and again only when what it shows changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual.widgets import Static

from agopconsole.analysis.charts import Axes, Picture, Series, draw_chart
from agopconsole.analysis.colours import GREY

if TYPE_CHECKING:
    from agopconsole.tui.painter import Painter

_CURSOR = "│"
_FREE = " ░"
"""What the cursor may stand on without hiding a line."""


class ChartPanel(Static):
    """A line chart, and a cursor on it where one is asked for.

    Attributes:
        names_lines: whether it has a legend of its own.

    Args:
        title: what stands in the frame.
        axes: what the chart counts.
    """

    def __init__(self, title: str, *, id: str, axes: Axes | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="panel")
        self.border_title = title
        self.series: Sequence[Series] = ()
        self.picture: Picture | None = None
        self.names_lines = True
        self._axes = axes or Axes()
        self._window: tuple[float, float] | None = None
        self._content: Hashable = None
        self._make: Callable[[], Sequence[Series]] | None = None
        self._asked: object = None
        self._future: Future[Any] | None = None
        self._lines: Sequence[Text] = ()
        self._cursor: float | None = None

    def show(self, series: Sequence[Series]) -> None:
        """Draws these series."""
        self.show_later(_Same(series), lambda: series, self._axes)

    @property
    def x_label(self) -> str | None:
        """What x counts in the picture; None without one."""
        return self.picture.axes.x_label if self.picture is not None else None

    def show_later(
        self,
        content: Hashable,
        make: Callable[[], Sequence[Series]],
        axes: Axes,
        window: tuple[float, float] | None = None,
    ) -> None:
        """Draws what `make` yields, which is asked for off the screen's thread.

        Args:
            content: what tells it from anything else that the panel might show; as long as it stays, nothing is done.
            make: makes the series.
            axes: what they count.
            window: the stretch of x that is shown; None for all of it.
        """
        self._content, self._make, self._axes, self._window = content, make, axes, window
        self._draw()

    def say(self, text: str) -> None:
        """Puts words in place of a chart."""
        self._content, self._make, self._asked = None, None, None
        self.series, self.picture, self._lines = (), None, [Text(text, GREY)]
        self._show_lines()

    def read(self, x: float | None) -> None:
        """Moves the cursor there, or takes it away; nothing is drawn anew but the cursor."""
        if x != self._cursor:
            self._cursor = x
            self._draw()  # what the cursor reads takes the place of a legend: one without makes room for it
            self._show_lines()

    def on_resize(self) -> None:
        """Draws the chart to its new size."""
        self._draw()

    @property
    def _painter(self) -> Painter:
        from agopconsole.tui.app import ConsoleApp

        assert isinstance(self.app, ConsoleApp)
        return self.app.painter

    def _draw(self) -> None:
        width, height = self.content_size
        named = self.names_lines or self._cursor is not None
        asked = (self._content, self._axes, self._window, width, height, named)
        if width < 1 or height < 1 or self._make is None or asked == self._asked:
            return
        self._asked = asked
        if self._future is not None:
            self._future.cancel()  # what waits to be drawn for this panel is out of date
        make, axes, window, colour = self._make, self._axes, self._window, not self.app.no_color

        def work() -> tuple[object, Sequence[Series], Picture, list[Text]]:
            series = make()
            picture = draw_chart(series, axes, width=width, height=height, window=window, named=named, colour=colour)
            text = picture.page.join(picture.lines)
            return asked, series, picture, [Text.from_ansi(line, no_wrap=True) for line in text.split("\n")]

        self._future = self._painter.paint(work, self._take)

    def _take(self, drawn: tuple[object, Sequence[Series], Picture, list[Text]]) -> None:
        asked, series, picture, lines = drawn
        if asked == self._asked and self.is_mounted:  # else the panel has changed since
            self.series, self.picture, self._lines = series, picture, lines
            self._show_lines()
            self.drawn()

    def drawn(self) -> None:
        """Called when there is a new picture."""

    def _show_lines(self) -> None:
        lines = self._lines
        if self._cursor is not None and self.picture is not None:
            lines = with_cursor(lines, self.picture, self._cursor)
        self.update(Text("\n").join(lines), layout=False)


class _Same:
    """Series as something to compare: equal to others that would be drawn alike."""

    def __init__(self, series: Sequence[Series]) -> None:
        self._series = tuple(series)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self._series == other._series

    def __hash__(self) -> int:
        return len(self._series)


def with_cursor(lines: Sequence[Text], picture: Picture, x: float) -> list[Text]:
    """The lines of a picture with a cursor at `x`, and what it reads in place of the legend."""
    canvas = picture.canvas
    column = canvas.column(x) if canvas else None
    if canvas is None or column is None:
        return list(lines)
    shown = list(lines)
    for row in range(canvas.top, canvas.top + canvas.rows):
        plain = shown[row].plain
        if plain[column] in _FREE:
            line = shown[row] = shown[row].copy()
            line.plain = plain[:column] + _CURSOR + plain[column + 1 :]
            line.stylize(GREY, column, column + 1)
    below = [Text.from_ansi(line, no_wrap=True) for line in picture.read(x)]
    shown[len(picture.lines) - len(below) : len(picture.lines)] = below
    return shown
