"""Records what each weight of a model gives in a forward pass, whether its module is called or the weight used alone.

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
class Use:
    """One use of a slot's weight.

    Attributes:
        slot: its name.
        output: the output z, for a convolution (n, c_out, h, w), else (..., columns).
        columns: which of the outputs' channels are the slot's.
    """

    slot: str
    output: Tensor
    columns: slice


@contextlib.contextmanager
def recorded_uses(slots: Iterable[Slot]) -> Iterator[list[Use]]:
    """Records the uses of these slots in the forward passes inside, in order.

    Outputs are as they are before anything is done to them in place. Where grad is off, as in a part that the model
    runs under `torch.no_grad`, nothing is recorded: no gradient reaches there.
    """
    recorder = _Recorder(list(slots))
    handles = []
    try:
        for module, users in recorder.called.items():
            handles.append(module.register_forward_pre_hook(recorder.enter))
            # First of the module's hooks: it sees the layer's own output.
            handles.append(module.register_forward_hook(recorder.leave(users), prepend=True, always_call=True))
        with recorder:
            yield recorder.uses
    finally:
        for handle in handles:
            handle.remove()


class _Recorder(TorchFunctionMode):
    def __init__(self, slots: list[Slot]) -> None:
        super().__init__()
        self.uses: list[Use] = []
        self.called: dict[nn.Module, list[Slot]] = {}
        self._places: dict[int, list[tuple[Slot, Tensor]]] = {}
        self._inside = 0
        for slot in slots:
            if isinstance(slot.module, nn.Conv2d | nn.Linear):
                self.called.setdefault(slot.module, []).append(slot)
            weight = slot.weight
            if weight.numel():
                self._places.setdefault(weight.untyped_storage().data_ptr(), []).append((slot, weight))

    def enter(self, module: nn.Module, inputs: Any) -> None:
        """Before a layer's own forward pass, in which the mode does not look."""
        del module, inputs
        self._inside += 1

    def leave(self, slots: list[Slot]) -> Callable[[nn.Module, Any, Any], Any]:
        """After it."""

        def record(module: nn.Module, inputs: Any, output: Any) -> Any:
            del module, inputs
            self._inside -= 1
            return self._record(output, [(slot, slot.rows) for slot in slots])

        return record

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is functional.multi_head_attention_forward:
            with self:
                return _attention_forward(*args, **kwargs)
        output = func(*args, **kwargs)
        if self._inside or func not in (functional.linear, torch.conv2d):
            return output
        weight = args[1] if len(args) > 1 else kwargs["weight"]
        return self._record(output, self._found(weight))

    def _found(self, weight: Tensor) -> list[tuple[Slot, slice]]:
        """The slots that lie in a weight, which may be some rows of a parameter, and their rows in it."""
        found = []
        for slot, own in self._places.get(weight.untyped_storage().data_ptr(), ()):
            if weight.shape[1:] != own.shape[1:] or weight.stride() != own.stride():
                continue
            start, rest = divmod(int(own.storage_offset() - weight.storage_offset()), own.stride(0))
            if rest == 0 and 0 <= start <= len(weight) - len(own):
                found.append((slot, slice(start, start + len(own))))
        return found

    def _record(self, output: Any, found: list[tuple[Slot, slice]]) -> Any:
        if not found or not isinstance(output, Tensor) or not torch.is_grad_enabled():
            return output
        if not output.requires_grad:  # below the first layer there is nothing to differentiate
            output = output.detach().requires_grad_()
        self.uses += [Use(slot.name, output, columns) for slot, columns in found]
        # An in-place ReLU then works on the copy, and the recorded output keeps its place in the graph.
        return output.clone()
