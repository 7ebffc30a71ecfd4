"""Starts a network layer by layer on a batch of images: what one layer is started by, the layers below decide.

One forward pass builds the whole start. Before a layer sees its input it is given its weights; behind it, under the
scale `lsuv`, they are corrected, and the next layer sees the corrected output.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from agopconsole.backend.bases import procrustes
from agopconsole.backend.devices import exact_products
from agopconsole.backend.layers import Slot, weight_slots
from agopconsole.backend.patches import mean_patches
from agopconsole.backend.untouched import batch_statistics, evaluation
from agopconsole.backend.uses import Part, Watch, watching
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
    counterparts: Mapping[str, str] | None = None,
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
        counterparts: the names of its layers by those of the model's, where they differ.

    Raises:
        RequestError: if a layer is not reached, or all its outputs are equal.
    """
    inputs: dict[str, Tensor] = {}
    if source is not None and method.basis == "aligned":
        theirs = dict(zip(slots, slots, strict=True)) if counterparts is None else counterparts
        seen = _inputs(source, set(theirs.values()), images)
        inputs = {name: seen[theirs[name]] for name in slots if theirs.get(name) in seen}
    normed = _before_norms(model, slots, images[:2]) if method.scale == "lsuv" else set()
    starter = _Starter(slots, write, inputs, normed if method.scale == "lsuv" else None)
    with torch.no_grad(), exact_products(), evaluation(model), batch_statistics(model), watching(starter):
        model(images)
    missed = [name for name in slots if name not in starter.done]
    if missed:
        raise RequestError(f"layer '{missed[0]}' is not reached by a forward pass, so no image can start it")


class _Starter(Watch):
    """Starts each slot when its first input comes, and corrects its outputs where it is told under which norms."""

    def __init__(
        self,
        slots: Mapping[str, Slot],
        write: Callable[[Slot, Below], None],
        inputs: Mapping[str, Tensor],
        normed: Collection[str] | None,
    ) -> None:
        super().__init__(slots.values())
        self.done: set[str] = set()
        self._write = write
        self._inputs = inputs
        self._normed = normed

    def before(self, parts: list[Part], inputs: Tensor) -> None:
        for slot in (part.slot for part in parts):
            if slot.name not in self.done:
                found = inputs.detach().float()
                self._write(slot, Below(mean_patches(slot.module, found), _turns(slot, self._inputs, found)))

    def behind(self, parts: list[Part], inputs: Tensor, output: Tensor) -> Tensor:
        del inputs
        for part in parts:
            name = part.slot.name
            if name not in self.done and self._normed is not None:
                output = _corrected(part, output, 1.0 if name in self._normed else VARIANCE)
            self.done.add(name)
        return output


def _corrected(part: Part, output: Tensor, wanted: float) -> Tensor:
    """The output with mean 0 a channel and that variance, and the slot's weights with it (Mishkin & Matas 2016)."""
    slot, own = part.slot, part.of(output)
    axis = 1 if slot.is_convolution else own.ndim - 1
    others = [i for i in range(own.ndim) if i != axis]
    mean = own.mean(others, keepdim=True)
    variance = float((own - mean).float().square().mean())
    if not variance > 0:
        raise RequestError(f"layer '{slot.name}': all its outputs are equal, so no scale gives them a variance")
    factor = math.sqrt(wanted / variance)
    if slot.bias is None:
        slot.write(slot.weight * factor)
        return part.put(output, own * factor)
    slot.write(slot.weight * factor, (slot.bias - mean.flatten()) * factor)
    return part.put(output, (own - mean) * factor)


def _turns(slot: Slot, inputs: Mapping[str, Tensor], new: Tensor) -> tuple[Tensor, ...]:
    if slot.name not in inputs:
        return ()
    axis = 1 if slot.is_convolution else new.ndim - 1
    theirs = inputs[slot.name].transpose(1, axis)
    if theirs.shape != new.transpose(1, axis).shape:
        raise RequestError(
            f"layer '{slot.name}': its input has the shape {tuple(new.shape)}, the source's {tuple(theirs.shape)}"
        )
    pairs = zip(theirs.chunk(slot.groups, 1), new.transpose(1, axis).chunk(slot.groups, 1), strict=True)
    return tuple(procrustes(source, ours) for source, ours in pairs)


def _inputs(source: nn.Module, names: Collection[str], images: Tensor) -> dict[str, Tensor]:
    """What the source's layers of these names take for the same images, at their first use."""
    notes = _Notes(slot for name, slot in weight_slots(source).items() if name in names)
    with torch.no_grad(), exact_products(), evaluation(source), watching(notes):
        source(images)
    return notes.seen


class _Notes(Watch):
    """Keeps a copy of each slot's first input."""

    def __init__(self, slots: Iterable[Slot]) -> None:
        super().__init__(slots)
        self.seen: dict[str, Tensor] = {}

    def before(self, parts: list[Part], inputs: Tensor) -> None:
        for part in parts:
            if part.slot.name not in self.seen:
                self.seen[part.slot.name] = inputs.detach().float().clone()


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
