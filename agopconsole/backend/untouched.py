"""Looks into a network and leaves it exactly as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import nn


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
def hooked(layers: Mapping[str, nn.Module], hook_of: Callable[[str], Callable[..., Any]]) -> Iterator[None]:
    """Gives each layer the forward hook made for its name and, at the end, takes it off again."""
    handles = [layer.register_forward_hook(hook_of(name)) for name, layer in layers.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
