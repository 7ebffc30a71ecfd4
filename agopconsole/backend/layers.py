"""The layers that have feature matrices, and the shape of what enters them."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from agopconsole.errors import RequestError

Layer = nn.Conv2d | nn.Linear


def feature_layers(model: nn.Module) -> dict[str, Layer]:
    """Every Conv2d and Linear of a model by module name, in the order the model holds them."""
    return {name: module for name, module in model.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)}


def groups_of(layer: Layer) -> int:
    """Number of groups: each sees channels of its own and has a matrix of its own."""
    return layer.groups if isinstance(layer, nn.Conv2d) else 1


def matrix_names(name: str, layer: Layer) -> list[str]:
    """The keys of a layer's matrices: its name, or `name[0]`, `name[1]`... for the groups of a convolution."""
    groups = groups_of(layer)
    return [name] if groups == 1 else [f"{name}[{g}]" for g in range(groups)]


def weight_blocks(layer: Layer) -> tuple[Tensor, ...]:
    """The weight of each group, flattened to (c_out / groups, d), d = c_in / groups * k_h * k_w."""
    return layer.weight.detach().flatten(1).chunk(groups_of(layer))


def patch_shape(layer: Layer) -> tuple[int, ...]:
    """How an input patch of a layer is laid out: (c_in / groups, k_h, k_w), or (d,) for a linear layer."""
    return tuple(layer.weight.shape[1:])


def choose_layers(model: nn.Module, choice: str) -> dict[str, Layer]:
    """The layers that `choice` names: `conv`, `all`, `first:N` (convolutions), or module names with commas.

    Raises:
        RequestError: if a name is none of the model's, or nothing is left.
    """
    every = feature_layers(model)
    convs: dict[str, Layer] = {name: layer for name, layer in every.items() if isinstance(layer, nn.Conv2d)}
    if choice == "all":
        return every
    if choice == "conv":
        chosen = convs
    elif choice.startswith("first:"):
        chosen = dict(list(convs.items())[: int(choice.removeprefix("first:"))])
    else:
        names = choice.split(",")
        missing = [name for name in names if name not in every]
        if missing:
            raise RequestError(f"layers '{choice}': there is no layer '{missing[0]}'; choose from {', '.join(every)}")
        chosen = {name: every[name] for name in names}
    if not chosen:
        raise RequestError(f"layers '{choice}' names no layer of this model")
    return chosen


def named_blocks(model: nn.Module) -> Iterator[tuple[str, Tensor, tuple[int, ...]]]:
    """For every matrix of a model its key, the block of weights it belongs to, and its patch shape."""
    for name, layer in feature_layers(model).items():
        for key, block in zip(matrix_names(name, layer), weight_blocks(layer), strict=True):
            yield key, block, patch_shape(layer)
