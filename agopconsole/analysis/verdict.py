"""What the start of a network foretells, in words: whether it will train, train slowly, or come to nothing.

The bounds lie between the starts of recorded runs that learned and of those that diverged or stayed at chance (the
shipped studies, VGG11, mostly without batch norm): what learned had outputs of a mean square up to 290 and a gradient
up to 81 times the weights; what did not, a source's own filters aside, had at least 5,500 and 310, and one direction
left in which images differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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
        words: what it means; `{layer}` is the first layer of which it is true, `{value}` the worst value.
    """

    measure: str
    is_sound: Callable[[float], bool]
    worst: Callable[[Sequence[float]], float]
    outlook: Outlook
    words: str


SIGNS = (
    Sign(
        "output_mean_square",
        lambda x: x <= SOUND_OUTPUTS[1],
        max,
        "trouble",
        "outputs explode: from {layer} on their mean square goes up to {value}, 2 would be sound",
    ),
    Sign(
        "output_mean_square",
        lambda x: not x < SOUND_OUTPUTS[0],
        min,
        "slow",
        "outputs vanish: from {layer} on their mean square goes down to {value}, 2 would be sound",
    ),
    Sign(
        "common_mode",
        lambda x: not x > SOUND_COMMON_MODE,
        max,
        "slow",
        "layers answer to what all images share: from {layer} on m'Sm goes up to {value} times the isotropic",
    ),
    Sign(
        "participation_ratio",
        lambda x: not x < SOUND_PARTICIPATION,
        min,
        "trouble",
        "images look alike: from {layer} on they differ in as few as {value} directions",
    ),
    Sign(
        "gradient_ratio",
        lambda x: x <= SOUND_GRADIENT,
        max,
        "trouble",
        "the first steps go too far: from {layer} on the gradient is up to {value} times the weights",
    ),
)


def is_sound(measure: str, value: float) -> bool:
    """Whether a value of a field of `LayerStart` is what a network that trains starts from."""
    return all(sign.is_sound(value) for sign in SIGNS if sign.measure == measure)


def warnings(start: Sequence[LayerStart]) -> list[tuple[Outlook, str]]:
    """What is wrong with a start, the measures in a fixed order: what each foretells, and in words."""
    found = []
    for sign in SIGNS:
        unsound = {layer.layer: v for layer in start if not sign.is_sound(v := getattr(layer, sign.measure))}
        if unsound:
            values = list(unsound.values())
            worst = _figure(sign.worst(values)) if all(map(math.isfinite, values)) else "what is no number"
            found.append((sign.outlook, sign.words.format(layer=next(iter(unsound)), value=worst)))
    return found


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def outlook(start: Sequence[LayerStart]) -> Outlook:
    """The gravest of what a start foretells."""
    grades = [grade for grade, _ in warnings(start)]
    return "trouble" if "trouble" in grades else "slow" if "slow" in grades else "sound"


def in_words(start: Sequence[LayerStart]) -> str:
    """The outlook and its reasons, a line each; of no layers nothing."""
    if not start:
        return ""
    said = {
        "sound": "sound: nothing in this start stands in the way of training",
        "slow": "slow: such starts trained slowly, or hardly at all",
        "trouble": "trouble: such starts diverged or stayed at chance",
    }
    return "\n".join([said[outlook(start)], *(f"- {words}" for _, words in warnings(start))])
