"""Which layers of one network stand for those of another: the k-th of a kind for the k-th, where they see the same.

What is known of the layers of both flows in, the pairs that there are and the reasons why others have none flow out.
It needs no torch, so that a request can be checked before any network is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layer:
    """What decides whether two layers correspond.

    Attributes:
        kind: only layers of one kind are counted together: `convolution`, `linear layer`, `q`, `k`, `v`.
        patch: the shape of what a filter sees: (c_in / groups, k_h, k_w), or (d,) for a linear layer.
        groups: of a convolution.
    """

    kind: str
    patch: tuple[int, ...]
    groups: int = 1


@dataclass(frozen=True, slots=True)
class Correspondence:
    """The outcome for every layer of a network.

    Attributes:
        names: its layers that have a counterpart in the source, by name, and the counterpart's name.
        reasons: its other layers, and why they have none.
    """

    names: dict[str, str]
    reasons: dict[str, str]


def correspond(layers: Mapping[str, Layer], source: Mapping[str, Layer]) -> Correspondence:
    """Pairs the layers of a network with those of a source, both by name in the order their networks hold them."""
    found = Correspondence({}, {})
    of_kind: dict[str, list[str]] = {}
    for name, layer in source.items():
        of_kind.setdefault(layer.kind, []).append(name)
    counted: dict[str, int] = {}
    for name, layer in layers.items():
        place = counted[layer.kind] = counted.get(layer.kind, 0) + 1
        others = of_kind.get(layer.kind, [])
        if place > len(others):
            found.reasons[name] = f"it is {layer.kind} {place}, and the source has {len(others)}"
            continue
        other = source[others[place - 1]]
        if (layer.patch, layer.groups) == (other.patch, other.groups):
            found.names[name] = others[place - 1]
        else:
            found.reasons[name] = (
                f"a filter of it sees {_size(layer)}, one of the source's {layer.kind} {place}, "
                f"'{others[place - 1]}', {_size(other)}"
            )
    return found


def _size(layer: Layer) -> str:
    size = " x ".join(map(str, layer.patch))
    return size if layer.groups == 1 else f"{size} in each of {layer.groups} groups"
