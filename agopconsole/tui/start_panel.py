"""The start of one run's network, layer by layer: what is wrong with it shows here before it trains."""

from __future__ import annotations

from collections.abc import Sequence

from textual.widgets import Static

from agopconsole.catalogue import normed_layers
from agopconsole.metrics import LayerStart
from agopconsole.store import RunRecord
from agopconsole.tui.layer_table import layers_table


class StartPanel(Static):
    """A table of layers; numbers far from a sound start are coloured."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="panel")
        self._run: RunRecord | None = None
        self._layers: Sequence[LayerStart] = ()
        self._drawn: object = None
        self.border_title = "start"

    def show(self, run: RunRecord | None, layers: Sequence[LayerStart]) -> None:
        """Shows the start of `run`."""
        self._run, self._layers = run, layers
        self._draw()

    def on_resize(self) -> None:
        """Words the columns to the new width."""
        self._draw()

    def _draw(self) -> None:
        content = (self._run and self._run.id, tuple(self._layers), self.content_size.width)
        if self.content_size.width < 1 or content == self._drawn:
            return
        self._drawn = content
        run = self._run
        self.border_title = f"start of #{run.id}  {run.method}, seed {run.seed}" if run else "start"
        normed = normed_layers(run.model) if run else ()
        self.update(layers_table(self._layers, self.content_size.width, normed=normed))
