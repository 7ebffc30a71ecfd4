"""One chart in a frame: series in, drawn to the size of the panel, and again only when either has changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text
from textual.widgets import Static

from agopconsole.analysis.charts import Series, line_chart


class ChartPanel(Static):
    """A line chart.

    Args:
        title: what stands in the frame.
        options: passed to `line_chart`.
    """

    def __init__(self, title: str, *, id: str, **options: Any) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="panel")
        self.border_title = title
        self._options = options
        self._drawn: object = None
        self.series: Sequence[Series] = ()

    def show(self, series: Sequence[Series]) -> None:
        """Draws these series."""
        self.series = series
        self._draw()

    def on_resize(self) -> None:
        """Draws the chart to its new size."""
        self._draw()

    def _draw(self) -> None:
        width, height = self.content_size
        content = (tuple(self.series), width, height)
        if width < 1 or height < 1 or content == self._drawn:
            return
        self._drawn = content
        text = line_chart(
            self.series, width=width, height=height, title="", colour=not self.app.no_color, **self._options
        )
        self.update(Text("\n").join(Text.from_ansi(line, no_wrap=True) for line in text.split("\n")), layout=False)
