"""Which tensors of a source a start was taken from, which not, and why."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from agopconsole.backend.layers import choose_slots
from agopconsole.methods import Method


def tensors_taken(
    weights: Mapping[str, Tensor], model: nn.Module, method: Method, layers: str, started: Mapping[str, str]
) -> dict[str, list[str]]:
    """The names of a source's tensors by what became of them, `taken` first; every tensor is in one list.

    Args:
        weights: the source's tensors by state-dict name.
        model: the network that was started.
        method: says whether weights or features were asked for.
        layers: which layers were under test.
        started: how each of them was started, as `initialize` gives it.
    """
    slots = choose_slots(model, layers)
    used = {slot.weight_name for name, slot in slots.items() if started.get(name) == "method"}
    unfit = {slot.weight_name for slot in slots.values()} - used
    biases = {slot.bias_name for slot in slots.values()}
    if method.recipe == "pretrained":
        used |= {slot.bias_name for name, slot in slots.items() if started.get(name) == "method"}
    known = model.state_dict().keys()
    sorted_out: dict[str, list[str]] = {"taken": []}
    for name in weights:
        if name in used:
            fate = "taken"
        elif name in unfit:
            fate = "of another shape than the network's"
        elif name in biases:
            fate = "biases of the layers under test, which start at 0"
        elif name in known:
            fate = "of layers that are not under test"
        else:
            fate = "of layers that the network does not have"
        sorted_out.setdefault(fate, []).append(name)
    return sorted_out


def in_words(sorted_out: Mapping[str, list[str]]) -> str:
    """The same in one line: of each list how many, the first and the last."""
    parts = [f"{len(names)} {fate} ({_span(names)})" for fate, names in sorted_out.items() if names]
    if not sorted_out["taken"]:
        parts.insert(0, "none taken")
    return "tensors of the source: " + ", ".join(parts)


def _span(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} ... {names[-1]}"
