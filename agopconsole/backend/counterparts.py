"""The layers of a source that stand for those of a network, where the two are not the same network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from torch import Tensor, nn

from agopconsole.backend.feature_matrix import FeatureMatrix
from agopconsole.backend.layers import Slot, choose_slots, weight_slots
from agopconsole.correspondence import Layer, correspond
from agopconsole.errors import RequestError

_T = TypeVar("_T")


def match_layers(
    model: nn.Module, source: nn.Module, layers: str = "conv", *, partial: bool = False
) -> dict[str, str]:
    """Pairs the layers of two networks by order: the k-th convolution of one with the k-th of the other.

    Linear layers and q, k and v of attentions are counted in the same way, each for themselves. Two layers correspond
    if their patches have the same shape and they have as many groups; the number of filters need not be the same.

    Args:
        model: the network that is to be started.
        source: the trained network, or one of the same layers.
        layers: of `model`, as `initialize` takes them: those that must have a counterpart.
        partial: ask for no counterpart of any layer.

    Returns:
        For each layer of `model` that has one, whether it is among `layers` or not, the name of its counterpart.

    Raises:
        RequestError: if one of `layers` has none, saying why.
    """
    found = correspond(_known(model), _known(source))
    if not partial:
        for name in choose_slots(model, layers):
            if name in found.reasons:
                raise RequestError(f"layer '{name}' corresponds to none of the source: {found.reasons[name]}")
    return found.names


def _known(model: nn.Module) -> dict[str, Layer]:
    return {name: Layer(_kind(slot), slot.patch_shape, slot.groups) for name, slot in weight_slots(model).items()}


def _kind(slot: Slot) -> str:
    if slot.is_attention:
        return slot.name.rpartition(".")[2]
    return "convolution" if slot.is_convolution else "linear layer"


def tensor_pairs(slot: Slot, counterpart: str) -> Iterator[tuple[str, str]]:
    """The state-dict names of the slot's weight and bias, each with that of the source's layer `counterpart`."""
    layer = counterpart.removesuffix(slot.name.removeprefix(slot.layer))
    for name in (slot.weight_name, slot.bias_name):
        yield name, f"{layer}.{name.rpartition('.')[2]}" if layer else name.rpartition(".")[2]


def matrices_by_own_names(
    slots: Mapping[str, Slot], counterparts: Mapping[str, str], matrices: Mapping[str, FeatureMatrix]
) -> dict[str, FeatureMatrix]:
    """The source's matrices by the keys of the slots that they are for."""
    keys = {
        key: counterparts[slot.name] + key.removeprefix(slot.name)
        for slot in slots.values()
        if slot.name in counterparts
        for key in slot.keys
    }
    return _renamed(keys, matrices)


def tensors_by_own_names(
    slots: Mapping[str, Slot], counterparts: Mapping[str, str], tensors: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """The source's tensors by the state-dict names of the slots that they are for."""
    names = {
        own: theirs
        for slot in slots.values()
        if slot.name in counterparts
        for own, theirs in tensor_pairs(slot, counterparts[slot.name])
    }
    return _renamed(names, tensors)


def _renamed(names: Mapping[str, str], found: Mapping[str, _T]) -> dict[str, _T]:
    return {own: found[theirs] for own, theirs in names.items() if theirs in found}
