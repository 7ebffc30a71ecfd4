"""The keys of the charts, for a screen that has a grid of them; they work wherever the focus is."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from agopconsole.tui.chart_grid import ChartGrid
from agopconsole.tui.messages import ChoiceChanged
from agopconsole.tui.store_screen import StoreScreen

_PAN = 0.25
_CLOSER = 0.5


class ChartedScreen(StoreScreen):
    """A screen with charts."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "next_chart(1)", "Chart", priority=True, tooltip="the next chart, in sight or not"),
        Binding("shift+tab,B", "next_chart(-1)", "Chart before", show=False, tooltip="the chart before"),
        Binding("m", "metric", "Metric", show=False, tooltip="choose what the current chart shows"),
        Binding("F", "full", "Full screen", show=False, tooltip="the current chart on the whole screen, and back"),
        Binding("x", "x_axis", "x axis", show=False, tooltip="x counts epochs, steps, or the time of training"),
        Binding("l", "log", "Log axis", show=False, tooltip="log y axis of the current chart, and back"),
        Binding("s", "smooth", "Smooth", show=False, tooltip="smooth the curves, more, and not at all"),
        Binding("b", "by_run", "Bands or runs", show=False, tooltip="a band a method, or a line a run"),
        Binding(
            "full_stop", "cursor(1)", "Cursor right", show=False, tooltip="cursor: read all values further right"
        ),
        Binding("comma", "cursor(-1)", "Cursor left", show=False, tooltip="cursor: read all values further left"),
        Binding("z", "zoom(1)", "Zoom in", show=False, tooltip="zoom in, at the cursor or the middle"),
        Binding("Z", "zoom(-1)", "Zoom out", show=False, tooltip="zoom out"),
        Binding("left_square_bracket", "pan(-1)", "Pan left", show=False, tooltip="show what lies to the left"),
        Binding("right_square_bracket", "pan(1)", "Pan right", show=False, tooltip="show what lies to the right"),
        Binding("0", "whole", "All of x", show=False, tooltip="all of x again, without a cursor"),
        Binding("less_than_sign", "carry(-1)", "Carry left", show=False, tooltip="carry the chart to the one before"),
        Binding(
            "greater_than_sign", "carry(1)", "Carry right", show=False, tooltip="carry the chart to the next one"
        ),
        Binding("L", "shape", "Layout", show=False, tooltip="more charts side by side, then as many as usual"),
    ]

    @property
    def grid(self) -> ChartGrid:
        """The charts."""
        return self.query_one(ChartGrid)

    def on_mount(self) -> None:
        """Puts up the charts that the user has chosen."""
        self.grid.set_up(self._program.preferences.charts, self._program.preferences.grid)

    def action_next_chart(self, by: int) -> None:
        """Makes the next chart the one that keys are about."""
        self.grid.go_to((self.grid.current + by) % len(self.grid.plots))

    def action_metric(self) -> None:
        """Lets the user choose what the current chart shows."""
        from agopconsole.tui.plot_screen import PlotScreen  # which the first frame does without

        def chosen(name: str | None) -> None:
            if name is not None:
                self.grid.choose(name)
                self._keep()

        self._program.push_screen(PlotScreen(self.grid.plots[self.grid.current]), chosen)

    def action_full(self) -> None:
        """Gives the current chart the whole screen, or takes it back."""
        self.grid.full = not self.grid.full
        self.set_class(self.grid.full, "-full")
        self.grid.lay_out()
        self.refresh_bindings()
        if self.grid.full or self.grid.has_focus_within:
            self.grid.panel().focus()

    def on_plot_panel_opened(self) -> None:
        """Does so by mouse, or by enter on a chart."""
        self.action_full()

    def on_chart_grid_in_sight(self) -> None:
        """Has read and draws what is in sight now."""
        self.post_message(ChoiceChanged())

    def action_x_axis(self) -> None:
        """Has x count the next thing."""
        self.grid.look(self.grid.view.next_x())

    def action_log(self) -> None:
        """Changes the scale of the current chart."""
        self.grid.look(self.grid.view.with_log(self.grid.plots[self.grid.current]))

    def action_smooth(self) -> None:
        """Smooths more, or not at all."""
        self.grid.look(self.grid.view.next_level())

    def action_by_run(self) -> None:
        """Changes between bands and single runs."""
        self.grid.look(self.grid.view.other_lines())

    def action_cursor(self, by: int) -> None:
        """Moves the cursor."""
        self.grid.action_cursor(by)

    def action_zoom(self, by: int) -> None:
        """Comes closer or goes further away."""
        self.grid.zoom(_CLOSER**by)

    def action_pan(self, by: int) -> None:
        """Goes to the left or to the right."""
        self.grid.pan(by * _PAN)

    def action_whole(self) -> None:
        """Shows all of x."""
        self.grid.look(self.grid.view.whole())

    def action_carry(self, by: int) -> None:
        """Moves the current chart."""
        self.grid.carry(by)
        self._keep()

    def action_shape(self) -> None:
        """Changes the number of charts in sight."""
        self.grid.next_shape()
        self._keep()

    def _keep(self) -> None:
        self._program.prefer(charts=self.grid.plots, grid=self.grid.wanted_shape)
