"""The one legend of a grid of charts, which show the same methods in the same colours."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual.geometry import Size
from textual.widgets import Static

from agopconsole.analysis.axes import Axes
from agopconsole.analysis.legend import shared_legend
from agopconsole.analysis.series import Series

if TYPE_CHECKING:
    from agopconsole.tui.painter import Painter


class GridLegend(Static):
    """As few lines as will do, below the charts."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._asked: object = None
        self._future: Future[Any] | None = None

    def show_later(
        self, content: Hashable, make: Callable[[], Sequence[Series]], axes: Axes, grid_size: Size
    ) -> None:
        """Shows the names that `make` yields, which is asked for off the screen's thread.

        Args:
            content: what tells them from any others; as long as it stays, nothing is done.
            make: makes the series that have the names.
            axes: what the charts count.
            grid_size: that of charts and legend.
        """
        width, height = grid_size.width - self.gutter.width, grid_size.height
        asked = (content, width, height)
        if width < 1 or height < 1 or asked == self._asked:
            return
        self._asked = asked
        if self._future is not None:
            self._future.cancel()

        def work() -> tuple[object, list[Text]]:
            lines = shared_legend(make(), axes, width=width, height=height)
            return asked, [Text.from_ansi(line, no_wrap=True) for line in lines]

        self._future = self._painter.paint(work, self._take)

    def _take(self, drawn: tuple[object, list[Text]]) -> None:
        asked, lines = drawn
        if asked == self._asked and self.is_mounted:
            self.update(Text("\n").join(lines), layout=False)
            self.styles.height = len(lines)  # which has the charts drawn anew, if it differs

    @property
    def _painter(self) -> Painter:
        from agopconsole.tui.app import ConsoleApp

        assert isinstance(self.app, ConsoleApp)
        return self.app.painter
