"""The grid of charts: which plots are in sight, how they are looked at, and which one keys are about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message

from agopconsole.analysis.axes import Axes
from agopconsole.analysis.curves import extent
from agopconsole.analysis.plots import PLOTS, USUAL, Plot, Source
from agopconsole.analysis.reading import next_place
from agopconsole.analysis.view import ChartView, Window
from agopconsole.tui.drawing import Drawing
from agopconsole.tui.grid_legend import GridLegend
from agopconsole.tui.grid_shape import AUTO, MOST, fitting_shape, next_shape
from agopconsole.tui.plot_panel import PlotPanel

MOST_STEP_RUNS = 50
"""Runs whose steps are drawn at once; of each up to 2,000 are stored."""

_CELLS = MOST[0] * MOST[1]


class ChartGrid(Container):
    """Charts that share x axis, stretch, smoothing and cursor; each shows a plot that the user chooses."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "cursor(-1)", "Cursor left", show=False, tooltip="in a chart: the cursor to the left"),
        Binding("right", "cursor(1)", "Cursor right", show=False, tooltip="in a chart: the cursor to the right"),
        Binding("enter", "open(True)", "Full screen", key_display="enter", tooltip="in a chart: full screen"),
        Binding("enter", "open(False)", "All charts", key_display="enter", tooltip="in full screen: back to all"),
        Binding("escape", "leave", "Table", key_display="esc", tooltip="in a chart: back to the table"),
    ]

    class InSight(Message):
        """Other plots are in sight than before."""

    class Left(Message):
        """The user is done with the charts."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.view = ChartView()
        self.plots: tuple[str, ...] = USUAL
        self.wanted_shape = AUTO
        self.current = 0
        self.full = False
        self._drawing: Drawing | None = None
        self._generation = 0
        self._first = 0

    def compose(self) -> ComposeResult:
        """As many panels as the largest grid has, of which those without room are not displayed, and their legend."""
        for cell in range(_CELLS):
            yield PlotPanel("", id=f"chart-{cell + 1}")
        yield GridLegend(id="grid-legend")

    # What is in sight

    def on_resize(self) -> None:
        """Shows as many charts as there is room for."""
        self.lay_out()

    def set_up(self, plots: Sequence[str], shape: str) -> None:
        """Puts the plots in that order into a grid of that shape."""
        self.plots, self.wanted_shape = tuple(plots), shape
        self.lay_out()

    def lay_out(self) -> None:
        """Lays out the panels: always a full grid, with the current plot in it."""
        columns, rows = (1, 1) if self.full else fitting_shape(self.wanted_shape, *self.size)
        cells = columns * rows
        self.styles.grid_size_columns, self.styles.grid_size_rows = columns, rows
        first = min(self.current // cells * cells, len(self.plots) - cells)
        before = self.in_sight()
        self._first = first
        shares_names = cells > 1 and not self.app.no_color  # without colours each chart has signs of its own
        self._legend.display = shares_names
        for cell, panel in enumerate(self._panels()):
            panel.display, panel.names_lines = cell < cells, not shares_names
            panel.set_class(cells > 1 and first + cell == self.current, "-current")
        if self.in_sight() != before:
            self.post_message(self.InSight())
        self._draw()

    def in_sight(self) -> list[Plot]:
        """The plots that are shown."""
        shown = sum(bool(panel.display) for panel in self._panels())
        return [PLOTS[name] for name in self.plots[self._first : self._first + shown]]

    def needs(self, source: Source) -> bool:
        """Whether a chart in sight is made of these numbers."""
        return any(plot.source == source for plot in self.in_sight())

    def panel(self) -> PlotPanel:
        """The panel of the current plot."""
        return self._panels()[self.current - self._first]

    def go_to(self, plot: int) -> None:
        """Makes a plot the current one; a focus on the charts goes with it."""
        focused = self.screen.focused in self._panels()
        self.current = plot
        self.lay_out()
        if focused:
            self.panel().focus()

    def choose(self, name: str) -> None:
        """Shows that plot in place of the current one; if it is in the grid already, the two change places."""
        plots = list(self.plots)
        if name in plots:
            plots[plots.index(name)] = plots[self.current]
        plots[self.current] = name
        self.plots = tuple(plots)
        self.post_message(self.InSight())
        self.lay_out()

    def carry(self, by: int) -> None:
        """Moves the current plot in the order of plots."""
        place = self.current + by
        if 0 <= place < len(self.plots):
            plots = list(self.plots)
            plots[self.current], plots[place] = plots[place], plots[self.current]
            self.plots = tuple(plots)
            self.go_to(place)

    def next_shape(self) -> None:
        """Shows more charts, or after the most of them the usual number."""
        self.wanted_shape = next_shape(self.wanted_shape, *self.size)
        self.lay_out()

    # What is drawn

    def show(self, drawing: Drawing) -> None:
        """Draws these runs, each chart once what it shows has been read."""
        if self._drawing is None or not drawing.looks_like(self._drawing):
            self._generation += 1
            self._drawing = drawing
        self._draw()

    def look(self, view: ChartView) -> None:
        """Shows the charts in another way."""
        self.view = view
        self._draw()
        for panel in self._panels():
            panel.read(view.cursor if self._follows(panel) else None)

    def extent(self) -> Window | None:
        """All of x, over the charts in sight."""
        series = [one for panel in self._shown() for one in panel.series]
        return extent(series)

    def zoom(self, factor: float, x: float | None = None) -> None:
        """Comes closer or goes further away, at the cursor, the mouse or the middle."""
        if (whole := self.extent()) is not None:
            self.look(self.view.zoomed(factor, whole, x))

    def pan(self, share: float) -> None:
        """Moves the stretch in sight by a share of its length."""
        if (whole := self.extent()) is not None:
            self.look(self.view.panned(share, whole))

    def action_cursor(self, by: int) -> None:
        """Moves the cursor to the next point of the current chart, a column further at least."""
        panel = self.panel()
        canvas = panel.picture.canvas if panel in self._shown() and panel.picture else None
        if canvas is not None:
            column = (canvas.limits.x_high - canvas.limits.x_low) / canvas.columns
            self.look(self.view.reading(next_place(panel.series, self.view.cursor, by, least=column)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A chart that has the whole screen can give it back, another one can have it."""
        return action != "open" or parameters != (self.full,)

    def action_open(self, full: bool) -> None:
        """Gives the current chart the whole screen, or takes it back."""
        if full != self.full:
            self.post_message(PlotPanel.Opened())

    def action_leave(self) -> None:
        """Goes back to where the user came from."""
        self.post_message(self.Left())

    def on_plot_panel_pointed(self, message: PlotPanel.Pointed) -> None:
        """Makes the panel's plot the current one, and puts the cursor where the mouse was."""
        self.current = self._first + self._panels().index(message.panel)
        self.lay_out()
        if message.x is not None:
            self.look(self.view.reading(message.x))

    def on_plot_panel_zoomed(self, message: PlotPanel.Zoomed) -> None:
        """Zooms at the mouse."""
        self.zoom(message.factor, message.x)

    def on_plot_panel_panned(self, message: PlotPanel.Panned) -> None:
        """Pans with the mouse."""
        self.pan(message.share)

    def _panels(self) -> list[PlotPanel]:
        return list(self.query(PlotPanel))

    def _shown(self) -> list[PlotPanel]:
        """The panels in sight whose picture counts x as the user wants it now."""
        return [panel for panel in self._panels() if panel.display and panel.x_label == self.view.x]

    def _follows(self, panel: PlotPanel) -> bool:
        """Whether the stretch and the cursor mean something to what is shown in a panel."""
        plots = dict(zip(self._panels(), self.in_sight(), strict=False))
        return panel in plots and not plots[panel].over_layers

    @property
    def _legend(self) -> GridLegend:
        return self.query_one(GridLegend)

    def _draw(self) -> None:
        self._draw_legend()
        for cell, (panel, plot) in enumerate(zip(self._panels(), self.in_sight(), strict=False)):
            panel.name_it(plot.title, self._state(plot, self._first + cell))
            drawing = self._drawing
            if drawing is None:
                continue
            if plot.source == "steps" and drawing.count > MOST_STEP_RUNS:
                panel.say(f"steps of {MOST_STEP_RUNS} runs at most: choose fewer")
            elif not drawing.has_numbers_for(plot):
                continue
            elif plot.over_layers and not drawing.was_measured(plot):
                panel.say("not measured: ansatz_epochs of a run asks for it")
            else:
                self._draw_plot(panel, plot, drawing)

    def _draw_legend(self) -> None:
        """Names the lines of the charts in sight once for all of them."""
        drawing, view = self._drawing, self.view
        plots = [plot for plot in self.in_sight() if drawing is not None and drawing.has_numbers_for(plot)]
        if drawing is None or not plots or not self._legend.display:
            return
        self._legend.show_later(
            (self._generation, tuple(plot.name for plot in plots), view.x, view.by_run),
            lambda: drawing.names(plots, view),
            Axes(view.x, time=view.x == "time"),
            self.size,
        )

    def _draw_plot(self, panel: PlotPanel, plot: Plot, drawing: Drawing) -> None:
        view = self.view
        panel.show_later(
            (plot.name, self._generation, view.x, view.level, view.by_run),
            lambda: drawing.series(plot, view),
            plot.axes(view.x, log=plot.name in view.log),
            None if plot.over_layers else view.window,
        )
        panel.read(None if plot.over_layers else view.cursor)

    def _state(self, plot: Plot, place: int) -> str:
        """What is out of the ordinary about a chart, and where it stands among those that are not in sight."""
        view = self.view
        words = [
            *["log"] * (plot.name in view.log),
            *[f"smoothed {view.smoothing:.0%}"] * bool(view.level),
            *["zoomed"] * (view.window is not None),
            *[f"{place + 1} of {len(self.plots)}"]
            * (place == self.current and len(self.in_sight()) < len(self.plots)),
        ]
        return " · ".join(words)
