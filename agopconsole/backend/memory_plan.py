"""How many images and outputs go through a model at once, so that a pass stays within the memory its user allows."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MOST_IMAGES, _MOST_OUTPUTS = 64, 32


@dataclass(frozen=True, slots=True)
class Cost:
    """What one image takes in bytes.

    Attributes:
        forward: for the graph of its forward pass.
        gradients: for all gradients of one output.
    """

    forward: int
    gradients: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How many images and outputs go through at once."""

    images: int
    outputs: int

    def peak(self, cost: Cost) -> int:
        """Bytes that a pass takes at most, beside the model and the images that are handed in."""
        return self.images * (cost.forward + self.outputs * cost.gradients)


DEFAULT_PLAN = Plan(images=16, outputs=8)


def plan_within(memory: int, cost: Cost) -> Plan:
    """The plan of most images whose peak is within `memory` bytes; a few outputs share each of their forward passes.

    Raises:
        ValueError: if one output of one image takes more.
    """
    least = Plan(1, 1).peak(cost)
    if least > memory:
        raise ValueError(f"one output of one image takes about {least:,} bytes, more than memory={memory:,}")
    outputs = min(DEFAULT_PLAN.outputs, max(1, (memory - cost.forward) // max(cost.gradients, 1)))
    images = min(_MOST_IMAGES, memory // Plan(1, outputs).peak(cost)) if Plan(1, outputs).peak(cost) else 1
    spare = memory // images - cost.forward
    return Plan(images, max(outputs, min(_MOST_OUTPUTS, spare // max(cost.gradients, 1))))


def parse_bytes(memory: int | str) -> int:
    """Bytes from a number, or from text such as `2 GiB` or `500 MB` (1024 and 1000 to the step).

    Raises:
        ValueError: if it is neither, or not positive.
    """
    text = str(memory).strip()
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", text, re.IGNORECASE)
    if isinstance(memory, bool) or match is None or float(match[1]) == 0 or (match[3] and not match[2]):
        raise ValueError(f"memory is a number of bytes or text such as '2 GiB', not {memory!r}")
    number, unit, binary = match.groups()
    power = 0 if not unit else "kmgt".index(unit.lower()) + 1
    return int(float(number) * (1024 if binary else 1000) ** power)
