"""Looks into a network and leaves it exactly as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextlib.contextmanager
def evaluation(model: nn.Module) -> Iterator[None]:
    """Puts every module in eval mode and, at the end, each back into its own."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextlib.contextmanager
def batch_statistics(model: nn.Module) -> Iterator[None]:
    """Lets batch norms use the statistics of the batch without taking note of them."""
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
    for norm in norms:
        norm.training, norm.track_running_stats = True, False
    try:
        yield
    finally:
        for norm in norms:
            norm.training, norm.track_running_stats = False, True


@contextlib.contextmanager
def differentiable(parameters: Iterable[Tensor]) -> Iterator[None]:
    """Lets gradients of frozen parameters be taken and, at the end, freezes them again."""
    frozen = [parameter for parameter in parameters if parameter.is_leaf and not parameter.requires_grad]
    for parameter in frozen:
        parameter.requires_grad_()
    try:
        yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(False)


@contextlib.contextmanager
def stand_ins(model: nn.Module, dtype: torch.dtype | None = None) -> Iterator[None]:
    """Puts copies in the place of tensors that do not serve as they are and, at the end, these back.

    Tensors made in inference mode take no part in a backward pass, so they get an ordinary copy; given a `dtype`, all
    floating-point parameters and buffers get a copy of that type.
    """
    put_away: list[tuple[dict[str, Any], str, Tensor]] = []
    copies: dict[int, Tensor] = {}
    try:
        with torch.inference_mode(False), torch.no_grad():
            for module in model.modules():
                held: tuple[dict[str, Any], ...] = (module._parameters, module._buffers)
                for tensors in held:
                    for name, tensor in list(tensors.items()):
                        if tensor is None or not _needs_copy(tensor, dtype):
                            continue
                        if id(tensor) not in copies:
                            copies[id(tensor)] = _copy(tensor, dtype)
                        put_away.append((tensors, name, tensor))
                        tensors[name] = copies[id(tensor)]
        yield
    finally:
        for tensors, name, tensor in put_away:
            tensors[name] = tensor


def _needs_copy(tensor: Tensor, dtype: torch.dtype | None) -> bool:
    return tensor.is_inference() or (dtype is not None and tensor.is_floating_point() and tensor.dtype != dtype)


def _copy(tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    copy = tensor.detach().clone()
    copy = copy.to(dtype) if dtype is not None and copy.is_floating_point() else copy
    return nn.Parameter(copy, requires_grad=tensor.requires_grad) if isinstance(tensor, nn.Parameter) else copy
