"""Optimisers and learning-rate schedules by name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from agopconsole.spec import RunSpec


def build_optimizer(spec: RunSpec, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
    """SGD with momentum, or AdamW with the momentum as beta1."""
    optimizer: torch.optim.Optimizer
    if spec.optimizer == "sgd":
        optimizer = torch.optim.SGD(
            parameters, lr=spec.lr, momentum=spec.momentum, weight_decay=spec.weight_decay, fused=True
        )
    else:
        optimizer = torch.optim.AdamW(
            parameters,
            lr=spec.lr,
            betas=(spec.momentum, 0.999),
            weight_decay=spec.weight_decay,
            fused=True,
            capturable=parameters[0].is_cuda,  # so that a step may be recorded
        )
    if parameters[0].device.type == "cpu":
        _step_on_rows(optimizer)
    return optimizer


def _step_on_rows(optimizer: torch.optim.Optimizer) -> None:
    """Turns channels-last parameters, while a step lasts, into what they are in memory: (c_out, kh, kw, c_in).

    On the CPU a fused step first copies every gradient that is not contiguous, which takes longer than the step.
    """
    turned: list[nn.Parameter] = []

    def turn(parameter: nn.Parameter, *order: int) -> None:
        gradient, parameter.grad = parameter.grad, None
        assert gradient is not None
        parameter.data = parameter.data.permute(order)
        parameter.grad = gradient.permute(order)
        remembered = optimizer.state[parameter]
        for name, value in remembered.items():
            if isinstance(value, Tensor) and value.dim() == len(order):
                remembered[name] = value.permute(order)

    def before(*_: Any) -> None:
        turned[:] = [
            parameter
            for group in optimizer.param_groups
            for parameter in group["params"]
            if parameter.grad is not None and parameter.dim() == 4 and not parameter.is_contiguous()
        ]
        for parameter in turned:
            turn(parameter, 0, 2, 3, 1)

    def after(*_: Any) -> None:
        for parameter in turned:
            turn(parameter, 0, 3, 1, 2)

    optimizer.register_step_pre_hook(before)
    optimizer.register_step_post_hook(after)


def align_memory(optimizer: torch.optim.Optimizer) -> None:
    """Lays what an optimiser remembers of a parameter out in memory as that is.

    A fused optimiser takes for granted that both are, and a checkpoint may come from where they lay otherwise.
    """
    for parameter, remembered in optimizer.state.items():
        for name, value in remembered.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape and value.stride() != parameter.stride():
                remembered[name] = torch.empty_like(parameter).copy_(value)


def learning_rate(spec: RunSpec, step: int, steps: int) -> float:
    """The learning rate of a step (from 0) of `steps`: constant, or half a cosine down to 0 (Loshchilov 2017)."""
    if spec.schedule == "constant":
        return spec.lr
    return spec.lr * 0.5 * (1 + math.cos(math.pi * step / steps))
