"""Optimisers and learning-rate schedules by name."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from agopconsole.spec import RunSpec


def build_optimizer(spec: RunSpec, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
    """SGD with momentum, or AdamW with the momentum as beta1."""
    if spec.optimizer == "sgd":
        return torch.optim.SGD(
            parameters, lr=spec.lr, momentum=spec.momentum, weight_decay=spec.weight_decay, fused=True
        )
    return torch.optim.AdamW(
        parameters,
        lr=spec.lr,
        betas=(spec.momentum, 0.999),
        weight_decay=spec.weight_decay,
        fused=True,
        capturable=parameters[0].is_cuda,  # so that a step may be recorded
    )


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
