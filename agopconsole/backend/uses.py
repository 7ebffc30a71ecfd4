"""Sees each use of a model's weights in a forward pass, whether a module is called or its weight used alone.

An attention hands its weights to `functional.linear` without a module of its own, and torch has fused ways that hide
even that. A function mode sees every such call, and torch takes none of the fused ways while one is on; modules that
are called are seen by hooks, which also serve weights that are computed anew in each pass.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from agopconsole.backend.layers import Slot

_attention_forward = FunctionType(
    functional.multi_head_attention_forward.__code__,
    {**vars(functional), "has_torch_function": lambda tensors: False},  # noqa: ARG005
    argdefs=functional.multi_head_attention_forward.__defaults__,
)
"""torch's own, but that it does not hand itself over to a mode: its calls of `linear` are what is to be seen."""


@dataclass(frozen=True, eq=False)
class Part:
    """Where a slot lies in an output that several may share.

    Attributes:
        slot: whose weight was used.
        columns: which of the output's channels are the slot's.
    """

    slot: Slot
    columns: slice

    def of(self, output: Tensor) -> Tensor:
        """The slot's channels of an output, or of its gradient: (n, c_out, h, w) of a convolution, else (..., c)."""
        return output if self.slot.is_convolution else output[..., self.columns]

    def put(self, output: Tensor, own: Tensor) -> Tensor:
        """The output with the slot's channels replaced by `own`."""
        if own.shape == output.shape:
            return own
        output = output.clone()
        output[..., self.columns] = own
        return output


@dataclass(frozen=True, eq=False)
class Use:
    """One use of a slot's weight.

    Attributes:
        part: whose weight, and where it is in the output.
        output: the output z, for a convolution (n, c_out, h, w), else (..., columns).
        inputs: a copy of what the weight was applied to, (n, c_in, h, w) or (..., d), where copies were asked for.
    """

    part: Part
    output: Tensor
    inputs: Tensor | None = None

    @property
    def slot(self) -> str:
        """The slot's name."""
        return self.part.slot.name


@contextlib.contextmanager
def recorded_uses(slots: Iterable[Slot], *, with_inputs: bool = False) -> Iterator[list[Use]]:
    """Records the uses of these slots in the forward passes inside, in order.

    Outputs are as they are before anything is done to them in place. Where grad is off, as in a part that the model
    runs under `torch.no_grad`, nothing is recorded: no gradient reaches there.
    """
    recorder = _Recorder(slots, with_inputs=with_inputs)
    with watching(recorder):
        yield recorder.uses


@contextlib.contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Lets `watch` see the forward passes inside."""
    with contextlib.ExitStack() as hooks:
        for module, parts in watch.called.items():
            enter = module.register_forward_pre_hook(watch.enter(parts), with_kwargs=True)
            hooks.callback(enter.remove)
            # First of the module's hooks: it sees the layer's own output.
            leave = module.register_forward_hook(watch.leave(parts), prepend=True, always_call=True, with_kwargs=True)
            hooks.callback(leave.remove)
        with watch:
            yield


class Watch(TorchFunctionMode):
    """While it is on, tells of each use of some slots: `before` with the input, `behind` with the output as well.

    A slot must not appear or disappear while it is on; what `before` writes into a weight is what is then used.
    """

    def __init__(self, slots: Iterable[Slot]) -> None:
        super().__init__()
        self.called: dict[nn.Module, list[Part]] = {}
        self._places: dict[int, list[tuple[Slot, Tensor]]] = {}
        self._inside = 0
        for slot in slots:
            if isinstance(slot.module, nn.Conv2d | nn.Linear):
                self.called.setdefault(slot.module, []).append(Part(slot, slot.rows))
            weight = slot.weight
            if weight.numel():
                self._places.setdefault(weight.untyped_storage().data_ptr(), []).append((slot, weight))

    def before(self, parts: list[Part], inputs: Tensor) -> None:
        """Before the weights of these slots are applied to an input."""

    def behind(self, parts: list[Part], inputs: Tensor, output: Tensor) -> Tensor:
        """After it; what is returned goes on in the output's place."""
        del parts, inputs
        return output

    def enter(self, parts: list[Part]) -> Callable[[nn.Module, Any, Any], None]:
        """Before a layer's own forward pass, in which the mode does not look."""

        def note(module: nn.Module, args: Any, kwargs: Any) -> None:
            del module
            self._inside += 1
            self.before(parts, args[0] if args else kwargs["input"])

        return note

    def leave(self, parts: list[Part]) -> Callable[[nn.Module, Any, Any, Any], Any]:
        """After it."""

        def note(module: nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
            del module
            self._inside -= 1
            inputs = args[0] if args else kwargs.get("input")
            return self.behind(parts, inputs, output) if isinstance(output, Tensor) else output

        return note

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is functional.multi_head_attention_forward:
            with self:
                return _attention_forward(*args, **kwargs)
        if self._inside or func not in (functional.linear, torch.conv2d):
            return func(*args, **kwargs)
        parts = self._found(args[1] if len(args) > 1 else kwargs["weight"])
        if not parts:
            return func(*args, **kwargs)
        inputs = args[0] if args else kwargs["input"]
        self.before(parts, inputs)
        return self.behind(parts, inputs, func(*args, **kwargs))

    def _found(self, weight: Tensor) -> list[Part]:
        """The slots that lie in a weight, which may be some rows of a parameter, and their rows in it."""
        found = []
        for slot, own in self._places.get(weight.untyped_storage().data_ptr(), ()):
            if weight.shape[1:] != own.shape[1:] or weight.stride() != own.stride():
                continue
            start, rest = divmod(int(own.storage_offset() - weight.storage_offset()), own.stride(0))
            if rest == 0 and 0 <= start <= len(weight) - len(own):
                found.append(Part(slot, slice(start, start + len(own))))
        return found


class _Recorder(Watch):
    def __init__(self, slots: Iterable[Slot], *, with_inputs: bool) -> None:
        super().__init__(slots)
        self.uses: list[Use] = []
        self._with_inputs = with_inputs

    def behind(self, parts: list[Part], inputs: Tensor, output: Tensor) -> Tensor:
        if not torch.is_grad_enabled():
            return output
        if not output.requires_grad:  # below the first layer there is nothing to differentiate
            output = output.detach().requires_grad_()
        copy = inputs.detach().clone() if self._with_inputs else None
        self.uses += [Use(part, output, copy) for part in parts]
        # An in-place ReLU then works on the copy, and the recorded output keeps its place in the graph.
        return output.clone()
