"""The weights that have feature matrices, as slots: a convolution, a linear layer, or one of q, k, v of an attention.

Each slot computes `z = W u + b` from patches `u`: all that the engine asks of a layer. An attention whose projections
are fused into one parameter has three slots, which are views of its rows.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from agopconsole.errors import RequestError

_FUSED = ("qkv", "to_qkv")
"""What torchvision (Swin, MaxViT) and others call a Linear that gives q, k and v, one below the other."""

_OUTPUT_PROJECTIONS = ("proj", "merge", "to_out", "to_out.0")
"""What they call the Linear beside it that takes what the heads give."""


@dataclass(frozen=True, eq=False)
class Slot:
    """One weight of a model, with its view of the parameter it lies in.

    Attributes:
        name: of its matrix: the module's, with `.q`, `.k` or `.v` behind it for an attention.
        layer: the module's name, as `model.get_submodule` takes it.
        module: the module that holds the parameter.
        parameter: the weight's name in the module.
        bias_parameter: the bias's name in the module, whether there is one or not.
        rows: the rows of the parameter that are this slot's: all but for fused projections.
        bias_rows: the same of the bias.
        groups: of a convolution: each sees channels of its own and has a matrix of its own.
        heads: of an attention, each a run of c_out / heads rows; 1 for every other slot.
    """

    name: str
    layer: str
    module: nn.Module
    parameter: str
    bias_parameter: str
    rows: slice = field(default_factory=lambda: slice(None))
    bias_rows: slice = field(default_factory=lambda: slice(None))
    groups: int = 1
    heads: int = 1

    @property
    def weight(self) -> Tensor:
        """The weight as the module lays it out, (c_out, *patch_shape): a live view, detached."""
        whole: Tensor = getattr(self.module, self.parameter)
        return whole.detach()[self.rows]

    @property
    def bias(self) -> Tensor | None:
        """The bias, (c_out,), or None: a live view, detached."""
        whole: Tensor | None = getattr(self.module, self.bias_parameter)
        return None if whole is None else whole.detach()[self.bias_rows]

    @property
    def blocks(self) -> tuple[Tensor, ...]:
        """The weight of each group, flattened to (c_out / groups, d), d = c_in / groups * k_h * k_w: live views."""
        return self.weight.flatten(1).chunk(self.groups)

    @property
    def keys(self) -> list[str]:
        """The names of its matrices: its own, or `name[0]`, `name[1]`... for the groups of a convolution."""
        return [self.name] if self.groups == 1 else [f"{self.name}[{g}]" for g in range(self.groups)]

    @property
    def patch_shape(self) -> tuple[int, ...]:
        """How an input patch is laid out: (c_in / groups, k_h, k_w), or (d,) for a linear layer."""
        return tuple(self.weight.shape[1:])

    @property
    def dim(self) -> int:
        """d, the length of an input patch."""
        return math.prod(self.patch_shape)

    @property
    def weight_name(self) -> str:
        """Where the parameter is in a state dict; `rows` says which part of it is this slot's."""
        return _join(self.layer, self.parameter)

    @property
    def bias_name(self) -> str:
        """Where the bias is in a state dict; `bias_rows` says which part of it is this slot's."""
        return _join(self.layer, self.bias_parameter)

    def write(self, weight: Tensor, bias: Tensor | float = 0.0) -> None:
        """Puts a weight, and a bias where the slot has one, in the place of its own.

        Args:
            weight: shape (c_out, *patch_shape) or flattened to (c_out, d), on any device.
            bias: shape (c_out,), or one number for all.

        Raises:
            RequestError: if the weight is computed from other parameters (weight norm, spectral norm, pruning).
        """
        if self.module._parameters.get(self.parameter) is None:
            raise RequestError(
                f"layer '{self.name}': its weight is computed from other parameters, so it cannot be started; "
                "take the parametrisation or pruning off first"
            )
        with torch.no_grad():
            self.weight.copy_(weight.reshape(self.weight.shape))
            if self.bias is not None:
                self.bias.copy_(torch.as_tensor(bias))

    @property
    def is_convolution(self) -> bool:
        """Whether its inputs are maps, (n, c_in, h, w), and not vectors, (..., d)."""
        return isinstance(self.module, nn.Conv2d)

    @property
    def is_attention(self) -> bool:
        """Whether this is q, k or v of an attention."""
        return self.name != self.layer

    def head_rows(self, heads: Collection[int] | None) -> list[int] | None:
        """The rows of the weight, (c_out, d), that belong to these heads of an attention; None: all of them.

        Raises:
            ValueError: if this slot is of an attention that lacks one of these heads, or there are none.
        """
        if heads is None or not self.is_attention:
            return None
        if not heads or not set(heads) <= set(range(self.heads)):
            raise ValueError(f"'{self.layer}' has the heads 0 to {self.heads - 1}, not {sorted(heads)}")
        size = len(self.weight) // self.heads
        return [row for head in sorted(set(heads)) for row in range(head * size, (head + 1) * size)]


def weight_slots(model: nn.Module) -> dict[str, Slot]:
    """Every weight of a model that has feature matrices, by name, in the order the model holds them.

    These are Conv2d (patch embeddings among them), Linear, and q, k and v: of nn.MultiheadAttention, and of a Linear
    called `qkv` or `to_qkv`, whose rows are those of q, k and v in thirds. Modules that share one parameter are one
    slot, under the name of the first.

    Raises:
        RequestError: if a layer is lazy and has not seen its input yet.
    """
    slots: dict[str, Slot] = {}
    taken: set[int] = set()
    for name, module in model.named_modules():
        parameters = set()
        for slot in _slots_of(name, module, model):
            parameter = getattr(module, slot.parameter)
            if is_lazy(parameter):
                raise RequestError(f"layer '{name}' has no shape yet: pass an image through the model once")
            if id(parameter) not in taken:
                slots[slot.name] = slot
                parameters.add(id(parameter))
        taken |= parameters
    return slots


def _slots_of(name: str, module: nn.Module, model: nn.Module) -> Iterator[Slot]:
    if isinstance(module, nn.Conv2d):
        yield Slot(name, name, module, "weight", "bias", groups=module.groups)
    elif isinstance(module, nn.Linear):
        parent, _, own = name.rpartition(".")
        if own in _FUSED and module.out_features % 3 == 0:
            yield from _thirds(name, module, "weight", "bias", _heads_of(model.get_submodule(parent)))
        else:
            yield Slot(name, name, module, "weight", "bias")
    elif isinstance(module, nn.MultiheadAttention):
        if module._qkv_same_embed_dim:
            yield from _thirds(name, module, "in_proj_weight", "in_proj_bias", module.num_heads)
        else:
            for part, rows in _parts(module.embed_dim):
                weight = f"{part}_proj_weight"
                yield Slot(
                    _join(name, part), name, module, weight, "in_proj_bias", bias_rows=rows, heads=module.num_heads
                )


def _thirds(name: str, module: nn.Module, weight: str, bias: str, heads: int) -> Iterator[Slot]:
    for part, rows in _parts(len(getattr(module, weight)) // 3):
        yield Slot(_join(name, part), name, module, weight, bias, rows=rows, bias_rows=rows, heads=heads)


def _parts(size: int) -> Iterator[tuple[str, slice]]:
    return ((part, slice(third * size, (third + 1) * size)) for third, part in enumerate("qkv"))


def _heads_of(attention: nn.Module) -> int:
    """The heads of an attention as torchvision and others name their number; 1 where it is not to be found."""
    counts = (getattr(attention, name, None) for name in ("num_heads", "n_heads", "heads"))
    return next((count for count in counts if isinstance(count, int)), 1)


def _join(*names: str) -> str:
    return ".".join(name for name in names if name)


def choose_slots(model: nn.Module, choice: str) -> dict[str, Slot]:
    """The slots that `choice` names: `conv`, `all`, `attention`, `first:N` (convolutions), or names with commas.

    A name is a slot's, or that of a module whose slots are all meant: an attention's stands for its q, k, v and
    output projection, a block's for all that is in the block. `attention` is what belongs to any attention.

    Raises:
        RequestError: if a name is none of the model's, or nothing is left.
    """
    every = weight_slots(model)
    convs = {name: slot for name, slot in every.items() if slot.is_convolution}
    if choice == "all":
        chosen = every
    elif choice == "conv":
        chosen = convs
    elif choice == "attention":
        parts = {part for found in attentions(every).values() for part in found.slots}
        chosen = {name: slot for name, slot in every.items() if slot in parts}
    elif choice.startswith("first:"):
        chosen = dict(list(convs.items())[: int(choice.removeprefix("first:"))])
    else:
        names = choice.split(",")
        missing = [name for name in names if not any(_within(slot, name) for slot in every)]
        if missing:
            raise RequestError(f"layers '{choice}': there is no layer '{missing[0]}'; choose from {', '.join(every)}")
        chosen = {key: slot for key, slot in every.items() if any(_within(key, name) for name in names)}
    if not chosen:
        raise RequestError(f"layers '{choice}' names no layer of this model")
    return chosen


def _within(slot: str, name: str) -> bool:
    return slot == name or slot.startswith(f"{name}.")


@dataclass(frozen=True)
class Attention:
    """An attention: the slots whose weights work together in it, `out` taking what its heads give, side by side."""

    name: str
    q: Slot
    k: Slot
    v: Slot
    out: Slot | None

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Those that there are."""
        return tuple(slot for slot in (self.q, self.k, self.v, self.out) if slot is not None)


def attentions(slots: Mapping[str, Slot]) -> dict[str, Attention]:
    """The attentions whose q, k and v are among these slots, by the name of the layer that holds them."""
    found = {}
    for name in dict.fromkeys(slot.layer for slot in slots.values() if slot.is_attention):
        parts = [slots.get(f"{name}.{part}") for part in "qkv"]
        parent = name.rpartition(".")[0]
        outs = [_join(name, "out_proj"), *(_join(parent, own) for own in _OUTPUT_PROJECTIONS)]
        q, k, v = parts
        if q is not None and k is not None and v is not None:
            found[name] = Attention(name, q, k, v, next((slots[out] for out in outs if out in slots), None))
    return found
