"""What can be charted: the catalogue that the console's charts are chosen from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from agopconsole.analysis.axes import Axes
from agopconsole.analysis.view import XKind

Source = Literal["epochs", "steps", "ansatz"]


@dataclass(frozen=True, slots=True)
class Line:
    """One of the lines that a plot has for each method or run.

    Attributes:
        value: what it shows of an epoch, a step or a layer.
        name: what tells it from the others; empty for the only one.
        dotted: whether it is the lesser one.
        at_start: whether it shows the layers of the network's start, and not those last measured.
    """

    value: Callable[[Any], float]
    name: str = ""
    dotted: bool = False
    at_start: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """One thing that can be charted.

    Attributes:
        name: as the preferences keep it.
        title: what it shows, with its unit.
        source: the numbers that it is made of.
        lines: what is drawn of each method or run.
        zero_line: whether y = 0 is drawn.
        notes: what it means to lie below and above zero.
    """

    name: str
    title: str
    source: Source
    lines: tuple[Line, ...]
    zero_line: bool = False
    notes: tuple[str, str] | None = None

    @property
    def over_layers(self) -> bool:
        """Whether x counts layers, whatever it counts elsewhere."""
        return self.source == "ansatz"

    def axes(self, x: XKind, *, log: bool) -> Axes:
        """Its axes where x counts that."""
        if self.over_layers:
            return Axes("layer", log=log)
        return Axes(x, time=x == "time", log=log, zero_line=self.zero_line, notes=self.notes)


def _epochs(name: str, title: str, value: Callable[[Any], float], **options: Any) -> Plot:
    return Plot(name, title, "epochs", (Line(value),), **options)


def _ansatz(name: str, title: str, value: Callable[[Any], float]) -> Plot:
    lines = (Line(value), Line(value, "at the start", dotted=True, at_start=True))
    return Plot(name, f"{title} a layer, at the start dotted", "ansatz", lines)


PLOTS: dict[str, Plot] = {
    plot.name: plot
    for plot in (
        _epochs("val_accuracy", "validation accuracy, %", lambda e: e.val_accuracy),
        _epochs(
            "loss_gap",
            "loss gap: validation - train",
            lambda e: e.loss_gap,
            zero_line=True,
            notes=("underfit", "overfit"),
        ),
        _epochs("train_accuracy", "train accuracy, %", lambda e: e.fixed_train_accuracy),
        Plot(
            "losses",
            "loss: validation, and train dotted",
            "epochs",
            (Line(lambda e: e.val_loss), Line(lambda e: e.fixed_train_loss, "train", dotted=True)),
        ),
        Plot("step_loss", "loss of a step", "steps", (Line(lambda s: s.loss),)),
        _epochs("throughput", "throughput, images/s", lambda e: e.images_per_second),
        _ansatz("ansatz", "corr(NFM, AGOP)", lambda layer: layer.nfm_agop),
        _ansatz("ansatz_sqrt", "corr(NFM, AGOP^1/2)", lambda layer: layer.nfm_agop_sqrt),
        Plot("gradient_norm", "gradient norm of a step", "steps", (Line(lambda s: s.gradient_norm),)),
        Plot("learning_rate", "learning rate of a step", "steps", (Line(lambda s: s.learning_rate),)),
    )
}
USUAL: tuple[str, ...] = ("val_accuracy", "loss_gap", "train_accuracy", "losses", "step_loss", "throughput")
"""The charts of the main screen until the user says otherwise, the first ones in sight where there is little room."""
