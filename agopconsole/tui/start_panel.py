"""The start of one run's network, layer by layer: what is wrong with it shows here before it trains."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.widgets import Static

from agopconsole.analysis.colours import GREY, WARNING
from agopconsole.metrics import LayerStart
from agopconsole.store import RunRecord
from agopconsole.tui.words import compact

# Beyond these a start is far from Kaiming's: outputs explode or vanish, or all images look alike.
_SOUND_OUTPUTS = (0.01, 100.0)
_SOUND_PARTICIPATION = 2.0
_SOUND_COMMON_MODE = 30.0

_COLUMNS = (
    ("variance", "var"),
    ("outputs²", "out²"),
    ("common mode", "m'Sm"),
    ("particip.", "PR"),
    ("gradient", "grad"),
)
_NARROW, _WIDE = 6, 13


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
        self.update(layers_table(self._layers, self.content_size.width))


def layers_table(layers: Sequence[LayerStart], width: int) -> Text:
    """The layers in `width` columns, with as many of the measures of `LayerStart` as there is room for."""
    if not layers:
        return Text("no start recorded yet", GREY)
    names = max(len(layer.layer) for layer in layers)
    shown = min(len(_COLUMNS), max((width - names) // _NARROW, 1))
    column = max(min((width - names) // shown, _WIDE), 1)
    heads = [wide if column == _WIDE else narrow for wide, narrow in _COLUMNS[:shown]]
    table = Text().append("layer".ljust(names) + "".join(f"{head:>{column}}" for head in heads), GREY)
    for layer in layers:
        table.append(f"\n{layer.layer:<{names}}")
        for value, sound in _cells(layer)[:shown]:
            table.append(f"{compact(value):>{column}}", "" if sound else WARNING)
    return table


def _cells(layer: LayerStart) -> list[tuple[float, bool]]:
    low, high = _SOUND_OUTPUTS
    return [
        (layer.weight_variance, True),
        (layer.output_mean_square, low <= layer.output_mean_square <= high),
        (layer.common_mode, layer.common_mode <= _SOUND_COMMON_MODE),
        (layer.participation_ratio, layer.participation_ratio >= _SOUND_PARTICIPATION),
        (layer.gradient_ratio, layer.gradient_ratio > 0),
    ]
