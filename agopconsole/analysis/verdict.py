"""What the start of a network foretells, in words: whether it will train, train slowly, or come to nothing.

The bounds lie between the starts of recorded runs that learned and of those that diverged or stayed at chance (the
shipped studies, VGG11, mostly without batch norm): what learned had outputs of a mean square up to 290 and a gradient
up to 81 times the weights; what did not, a source's own filters aside, had at least 5,500 and 310, and one direction
left in which images differ.

A batch norm behind a layer takes out each channel's mean and scale. With it neither the outputs' mean square nor what
images have in common says anything, nor does the gradient, which is at right angles to the weights of such a layer
and in inverse proportion to them: a step too far makes them longer and the next one shorter. In how many directions
images differ depends on the scales of the channels, too, and is judged where no norm comes between: at layers above.
These get channels of variance 1 whatever the weights below, so that training can undo there what it cannot undo in
a network without norms: images that look alike make it slow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from agopconsole.metrics import LayerStart

SOUND_OUTPUTS = (0.05, 1000.0)
SOUND_COMMON_MODE = 10.0
SOUND_PARTICIPATION = 1.2
SOUND_GRADIENT = 150.0

Outlook = Literal["sound", "slow", "trouble"]


@dataclass(frozen=True, slots=True)
class Sign:
    """A measure of a start that can be beyond what is sound.

    Attributes:
        measure: a field of `LayerStart`.
        is_sound: whether a value is.
        worst: the worst of several values that are not.
        outlook: what it foretells.
        above_norm: what it foretells of a layer above one with a batch norm.
        words: what it means; `{layer}` is the first layer of which it is true, `{value}` the worst value.
    """

    measure: str
    is_sound: Callable[[float], bool]
    worst: Callable[[Sequence[float]], float]
    outlook: Outlook
    above_norm: Outlook
    words: str


SIGNS = (
    Sign(
        "output_mean_square",
        lambda x: x <= SOUND_OUTPUTS[1],
        max,
        "trouble",
        "trouble",
        "outputs explode: from {layer} on their mean square goes up to {value}, 2 would be sound",
    ),
    Sign(
        "output_mean_square",
        lambda x: not x < SOUND_OUTPUTS[0],
        min,
        "slow",
        "slow",
        "outputs vanish: from {layer} on their mean square goes down to {value}, 2 would be sound",
    ),
    Sign(
        "common_mode",
        lambda x: not x > SOUND_COMMON_MODE,
        max,
        "slow",
        "slow",
        "layers answer to what all images share: from {layer} on m'Sm goes up to {value} times the isotropic",
    ),
    Sign(
        "participation_ratio",
        lambda x: not x < SOUND_PARTICIPATION,
        min,
        "trouble",
        "slow",
        "images look alike: from {layer} on the directions they differ in go down to {value}",
    ),
    Sign(
        "gradient_ratio",
        lambda x: x <= SOUND_GRADIENT,
        max,
        "trouble",
        "trouble",
        "the first steps go too far: from {layer} on the gradient is up to {value} times the weights",
    ),
)


def is_sound(measure: str, value: float, *, normed: bool = False) -> bool:
    """Whether a network that trains may start from a value of a field of `LayerStart`.

    With a batch norm behind the layer it may from any that is a number.
    """
    if normed and math.isfinite(value):
        return True
    return all(sign.is_sound(value) for sign in SIGNS if sign.measure == measure)


def warnings(start: Sequence[LayerStart], normed: Collection[str] = ()) -> list[tuple[Outlook, str]]:
    """What is wrong with a start, the measures in a fixed order: what each foretells, and in words.

    Args:
        start: its layers, from the first to the last.
        normed: the names of those with a batch norm behind them (`catalogue.ModelFacts.normed`).
    """
    found = []
    first = next((i for i, layer in enumerate(start) if layer.layer in normed), len(start))
    above = {layer.layer for layer in start[first:]}
    for sign in SIGNS:
        unsound = {
            layer.layer: value
            for layer in start
            if not sign.is_sound(value := getattr(layer, sign.measure))
            and not (layer.layer in normed and math.isfinite(value))
        }
        if unsound:
            values = list(unsound.values())
            worst = _figure(sign.worst(values)) if all(map(math.isfinite, values)) else "what is no number"
            grade = sign.above_norm if above.issuperset(unsound) else sign.outlook
            found.append((grade, sign.words.format(layer=next(iter(unsound)), value=worst)))
    return found


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def outlook(start: Sequence[LayerStart], normed: Collection[str] = ()) -> Outlook:
    """The gravest of what a start foretells."""
    grades = [grade for grade, _ in warnings(start, normed)]
    return "trouble" if "trouble" in grades else "slow" if "slow" in grades else "sound"


def in_words(start: Sequence[LayerStart], normed: Collection[str] = ()) -> str:
    """The outlook and its reasons, a line each; of no layers nothing."""
    if not start:
        return ""
    said = {
        "sound": "sound: nothing in this start stands in the way of training",
        "slow": "slow: such starts trained slowly, or hardly at all",
        "trouble": "trouble: such starts diverged or stayed at chance",
    }
    lines = [said[outlook(start, normed)], *(f"- {words}" for _, words in warnings(start, normed))]
    if any(layer.layer in normed for layer in start):
        lines.append("(layers with a batch norm behind them are not judged: it takes out their scale and their mean)")
    return "\n".join(lines)
