"""Starts a network layer by layer on a batch of images: what one layer is started by, the layers below decide.

One forward pass builds the whole start. Before a layer sees its input it is given its weights; behind it, under the
scale `lsuv`, they are corrected, and the next layer sees the corrected output.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from agopconsole.backend.bases import procrustes
from agopconsole.backend.layers import Slot
from agopconsole.backend.patches import mean_patches
from agopconsole.backend.untouched import batch_statistics, evaluation
from agopconsole.errors import RequestError
from agopconsole.methods import Method

VARIANCE = 2.0
"""Of a layer's outputs under `lsuv`: what a ReLU behind it halves to a mean square of 1; 1 under a norm layer."""

_NORMS = (_BatchNorm, nn.GroupNorm, nn.LayerNorm)


@dataclass(frozen=True, slots=True)
class Below:
    """What is below a layer.

    Attributes:
        mean_patches: the mean input patch of each group, shape (groups, d).
        turns: for each group the map of the new network's channels into the source's, (c, c); empty without a source.
    """

    mean_patches: Tensor
    turns: tuple[Tensor, ...] = ()


def start_on_images(
    model: nn.Module,
    slots: Mapping[str, Slot],
    method: Method,
    images: Tensor,
    write: Callable[[Slot, Below], None],
    source: nn.Module | None = None,
) -> None:
    """Gives each slot its weights by `write`, in the order in which a forward pass meets the layers.

    Dropout is off and batch norms use the statistics of the batch, as the first step of training finds them.

    Args:
        model: the network, changed in place.
        slots: the layers under test.
        method: says by its scale whether outputs are corrected, by its basis whether the source is asked.
        images: shape (n, 3, h, w), on the model's device; no labels are needed.
        write: puts weights into the slot, given what is below it.
        source: the network that the features are of, for the basis `aligned`.

    Raises:
        RequestError: if a layer is not reached, or is no convolution or linear layer.
    """
    for slot in slots.values():
        if slot.is_attention:
            raise RequestError(f"layer '{slot.name}': lsuv, centred and aligned start convolutions and linear layers")
    inputs = _inputs(source, slots, images) if source is not None and method.basis == "aligned" else {}
    normed = _before_norms(model, slots, images[:2]) if method.scale == "lsuv" else set()
    done: set[str] = set()

    def before(slot: Slot) -> Callable[[nn.Module, tuple[Tensor]], None]:
        def give(module: nn.Module, arguments: tuple[Tensor]) -> None:
            assert isinstance(module, nn.Conv2d | nn.Linear)
            if slot.name not in done:
                found = arguments[0].detach().float()
                write(slot, Below(mean_patches(module, found), _turns(slot, inputs, found)))

        return give

    def behind(slot: Slot) -> Callable[[nn.Module, tuple[Tensor], Tensor], Tensor | None]:
        def correct(module: nn.Module, arguments: tuple[Tensor], output: Tensor) -> Tensor | None:
            del module, arguments
            first = slot.name not in done
            done.add(slot.name)
            wanted = 1.0 if slot.name in normed else VARIANCE
            return _corrected(slot, output, wanted) if first and method.scale == "lsuv" else None

        return correct

    with torch.no_grad(), evaluation(model), batch_statistics(model), contextlib.ExitStack() as hooks:
        for slot in slots.values():
            hooks.callback(slot.module.register_forward_pre_hook(before(slot)).remove)
            hooks.callback(slot.module.register_forward_hook(behind(slot)).remove)
        model(images)
    missed = [name for name in slots if name not in done]
    if missed:
        raise RequestError(f"layer '{missed[0]}' is not reached by a forward pass, so no image can start it")


def _corrected(slot: Slot, output: Tensor, wanted: float) -> Tensor:
    """The output with mean 0 a channel and that variance, and the slot's weights with it (Mishkin & Matas 2016)."""
    axis = 1 if isinstance(slot.module, nn.Conv2d) else output.ndim - 1
    others = [i for i in range(output.ndim) if i != axis]
    mean = output.mean(others, keepdim=True)
    variance = float((output - mean).float().square().mean())
    if not variance > 0:
        raise RequestError(f"layer '{slot.name}': all its outputs are equal, so no scale gives them a variance")
    factor = math.sqrt(wanted / variance)
    if slot.bias is None:
        slot.write(slot.weight * factor)
        return output * factor
    slot.write(slot.weight * factor, (slot.bias - mean.flatten()) * factor)
    return (output - mean) * factor


def _turns(slot: Slot, inputs: Mapping[str, Tensor], new: Tensor) -> tuple[Tensor, ...]:
    if slot.name not in inputs:
        return ()
    axis = 1 if isinstance(slot.module, nn.Conv2d) else new.ndim - 1
    theirs = inputs[slot.name].transpose(1, axis)
    if theirs.shape != new.transpose(1, axis).shape:
        raise RequestError(
            f"layer '{slot.name}': its input has the shape {tuple(new.shape)}, the source's {tuple(theirs.shape)}"
        )
    pairs = zip(theirs.chunk(slot.groups, 1), new.transpose(1, axis).chunk(slot.groups, 1), strict=True)
    return tuple(procrustes(source, ours) for source, ours in pairs)


def _inputs(source: nn.Module, slots: Mapping[str, Slot], images: Tensor) -> dict[str, Tensor]:
    """What the source's layers of the same names take for the same images."""
    modules = dict(source.named_modules())
    seen: dict[str, Tensor] = {}

    def recorder(name: str) -> Callable[[nn.Module, tuple[Tensor]], None]:
        def record(module: nn.Module, arguments: tuple[Tensor]) -> None:
            del module
            seen.setdefault(name, arguments[0].detach().float().clone())

        return record

    with torch.no_grad(), evaluation(source), contextlib.ExitStack() as hooks:
        for name in slots:
            if name in modules:
                hooks.callback(modules[name].register_forward_pre_hook(recorder(name)).remove)
        source(images)
    return seen


def _before_norms(model: nn.Module, slots: Mapping[str, Slot], images: Tensor) -> set[str]:
    """The slots whose output a norm layer takes as it is."""
    outputs: dict[int, tuple[str, Tensor]] = {}  # kept alive, so that no other tensor gets the same id
    found: set[str] = set()

    def note(name: str) -> Callable[[nn.Module, tuple[Tensor], Tensor], None]:
        def keep(module: nn.Module, arguments: tuple[Tensor], output: Tensor) -> None:
            del module, arguments
            outputs[id(output)] = (name, output)

        return keep

    def look(module: nn.Module, arguments: tuple[Tensor]) -> None:
        del module
        if id(arguments[0]) in outputs:
            found.add(outputs[id(arguments[0])][0])

    with torch.no_grad(), evaluation(model), contextlib.ExitStack() as hooks:
        for slot in slots.values():
            hooks.callback(slot.module.register_forward_hook(note(slot.name)).remove)
        for norm in _norms(model):
            hooks.callback(norm.register_forward_pre_hook(look).remove)
        model(images)
    return found


def _norms(model: nn.Module) -> Iterator[nn.Module]:
    return (module for module in model.modules() if isinstance(module, _NORMS))
