"""Which network of the catalogue the tensors of a file are of."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from agopconsole.backend.layers import weight_slots
from agopconsole.backend.models import build_for_weights, build_model, head_name
from agopconsole.catalogue import MODELS


def blueprint(name: str, tensors: Mapping[str, Tensor]) -> nn.Module:
    """The network of that name with the head that is among the tensors, if there is one, and without values."""
    with torch.device("meta"):
        return build_for_weights(name, tensors) or build_model(name, classes=2, image_size=32)


def misfit(name: str, tensors: Mapping[str, Tensor], *, with_head: bool) -> str | None:
    """Why the tensors are not those of the network of that name; None if they are.

    Args:
        name: one of `catalogue.MODELS`.
        tensors: by state-dict name; others than the network's do no harm.
        with_head: ask for its classifier, too.
    """
    network = blueprint(name, tensors)
    state = network.state_dict()
    classifier = head_name(name).partition(".")[0]
    for layer, slot in weight_slots(network).items():
        if (with_head or layer.partition(".")[0] != classifier) and slot.weight_name not in tensors:
            return f"lacks '{slot.weight_name}', so it is no {name}"
    for key, tensor in tensors.items():
        if key in state and state[key].shape != tensor.shape:
            return f"has {key} in the shape {tuple(tensor.shape)}, a {name} in {tuple(state[key].shape)}"
    return None


def fitting(tensors: Mapping[str, Tensor]) -> list[str]:
    """The networks of the catalogue whose layers below the classifier these tensors are."""
    return [name for name in MODELS if misfit(name, tensors, with_head=False) is None]
