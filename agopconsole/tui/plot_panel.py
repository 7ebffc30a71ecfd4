"""A chart of the grid: it can be focused, and tells the grid what the mouse does to it."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.message import Message

from agopconsole.tui.chart_panel import ChartPanel

_CLOSER = 0.8
"""A turn of the wheel shows so much of what was in sight."""

_WHEEL_PAN = 0.1


class PlotPanel(ChartPanel, can_focus=True):
    """One cell of the grid."""

    @dataclass
    class Pointed(Message):
        """The user looks at this panel, and at `x` of it if that is given."""

        panel: PlotPanel
        x: float | None = None

    @dataclass
    class Zoomed(Message):
        """The stretch in sight is to become `factor` as long around `x`."""

        factor: float
        x: float | None

    @dataclass
    class Panned(Message):
        """The stretch in sight is to move by a share of its length."""

        share: float

    class Opened(Message):
        """The chart is to have the whole screen, or to give it back."""

    _dragged: int | None = None
    _moved = False

    def name_it(self, title: str, state: str) -> None:
        """Puts words into the frame; Textual draws the whole panel anew for each, the same or not."""
        if (title, state) != (self.border_title, self.border_subtitle):
            self.border_title, self.border_subtitle = title, state

    def on_focus(self) -> None:
        """The chart that is focused is the one that keys are about."""
        self.post_message(self.Pointed(self))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begins to drag."""
        self._dragged, self._moved = event.x, False
        self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drags the stretch along."""
        if self._dragged is None or event.x == self._dragged or self.picture is None or self.picture.canvas is None:
            return
        self._moved = True
        self.post_message(self.Panned((self._dragged - event.x) / self.picture.canvas.columns))
        self._dragged = event.x

    def on_mouse_up(self) -> None:
        """Ends to drag."""
        self._dragged = None
        self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        """Reads the chart where it is clicked; a second click gives it the whole screen."""
        if event.chain == 2:
            self.post_message(self.Opened())
        elif not self._moved:
            self.post_message(self.Pointed(self, self._x_at(event)))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Comes closer, or with shift goes back."""
        self._turn(event, -1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Shows more, or with shift goes on."""
        self._turn(event, 1)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        """Goes back."""
        event.stop()
        self.post_message(self.Panned(-_WHEEL_PAN))

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        """Goes on."""
        event.stop()
        self.post_message(self.Panned(_WHEEL_PAN))

    def _turn(self, event: events.MouseEvent, by: int) -> None:
        event.stop()
        if event.shift:
            self.post_message(self.Panned(by * _WHEEL_PAN))
        else:
            self.post_message(self.Zoomed(_CLOSER**-by, self._x_at(event)))

    def _x_at(self, event: events.MouseEvent) -> float | None:
        """The x under the mouse, or None outside the canvas."""
        offset = event.get_content_offset(self)
        canvas = self.picture.canvas if self.picture else None
        if offset is None or canvas is None or not canvas.left <= offset.x < canvas.left + canvas.columns:
            return None
        return canvas.x(offset.x)
