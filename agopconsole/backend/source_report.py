"""Which tensors of a source a start was taken from, which not, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from torch import Tensor, nn

from agopconsole.backend.counterparts import tensor_pairs
from agopconsole.backend.layers import choose_slots, weight_slots
from agopconsole.methods import Method


def tensors_taken(
    weights: Mapping[str, Tensor],
    model: nn.Module,
    method: Method,
    layers: str,
    started: Mapping[str, str],
    counterparts: Mapping[str, str] | None = None,
) -> dict[str, list[str]]:
    """The names of a source's tensors by what became of them, `taken` first; every tensor is in one list.

    Args:
        weights: the source's tensors by state-dict name.
        model: the network that was started.
        method: says whether weights or features were asked for.
        layers: which layers were under test.
        started: how each of them was started, as `initialize` gives it.
        counterparts: for a source that is another network, its layers' names by those of the network's.
    """
    slots = choose_slots(model, layers)
    used = {slot.weight_name for name, slot in slots.items() if started.get(name) == "method"}
    unfit = {slot.weight_name for slot in slots.values()} - used
    biases = {slot.bias_name for slot in slots.values()}
    if method.recipe == "pretrained":
        used |= {slot.bias_name for name, slot in slots.items() if started.get(name) == "method"}
    known = model.state_dict().keys()
    names = dict(zip(weights, weights, strict=True)) if counterparts is None else _own_names(model, counterparts)
    sorted_out: dict[str, list[str]] = {"taken": []}
    for theirs in weights:
        name = names.get(theirs)
        if name in used:
            fate = "taken"
        elif name in unfit:
            fate = "of another shape than the network's"
        elif name in biases:
            fate = "biases of the layers under test, which start at 0"
        elif name in known:
            fate = "of layers that are not under test"
        elif counterparts is None:
            fate = "of layers that the network does not have"
        else:
            fate = "of layers that correspond to none of the network's"
        sorted_out.setdefault(fate, []).append(theirs)
    return sorted_out


def _own_names(model: nn.Module, counterparts: Mapping[str, str]) -> dict[str, str]:
    """The network's own names of a source's tensors, where they correspond."""
    slots = weight_slots(model)
    pairs = (pair for name, theirs in counterparts.items() for pair in tensor_pairs(slots[name], theirs))
    return {theirs: own for own, theirs in pairs}


def matched_in_words(counterparts: Mapping[str, str], layers: Collection[str]) -> str:
    """Which layers of a source stood for those under test."""
    pairs = [f"{counterparts[name]} for {name}" for name in layers if name in counterparts]
    return f"layers of the source, matched by order: {', '.join(pairs) or 'none'}"


def in_words(sorted_out: Mapping[str, list[str]]) -> str:
    """The same in one line: of each list how many, the first and the last."""
    parts = [f"{len(names)} {fate} ({_span(names)})" for fate, names in sorted_out.items() if names]
    if not sorted_out["taken"]:
        parts.insert(0, "none taken")
    return "tensors of the source: " + ", ".join(parts)


def _span(names: list[str]) -> str:
    """The first and the last, by the numbers of their modules: files hold them in any order."""
    ordered = sorted(
        names,
        key=lambda name: [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in name.split(".")],
    )
    return ordered[0] if len(ordered) == 1 else f"{ordered[0]} ... {ordered[-1]}"
