"""Optimiser steps on one device, whose numbers stay there until they are asked for: no step waits for another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from agopconsole.backend.precision import Precision


@dataclass(frozen=True, slots=True)
class StepNumbers:
    """What is known of a step: its images, their mean loss, how many were right, the norm of the gradient."""

    images: int
    loss: float
    correct: int
    gradient_norm: float


class Stepper:
    """Takes steps on a network and remembers their numbers.

    Args:
        model: in train mode.
        optimizer: of its parameters.
        precision: of the products.
        device: where all of it is.
        micro_batch: how many images go through the network at once.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        precision: Precision,
        device: torch.device,
        micro_batch: int,
    ) -> None:
        self._model, self._optimizer, self._precision, self._device = model, optimizer, precision, device
        self._micro_batch = micro_batch
        self._scaler = precision.scaler(device)
        self._unread: list[tuple[int, Tensor]] = []

    def take(self, images: Tensor, labels: Tensor, rate: float) -> None:
        """One step on a batch at a learning rate.

        Where float16 overflows, the weights stay as they are and the scale is lowered.
        """
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._unread.append((len(labels), self._step(images, labels)))

    def _step(self, images: Tensor, labels: Tensor) -> Tensor:
        """Takes a step at the learning rate that is set: its loss, correct images and gradient norm, shape (3,)."""
        self._optimizer.zero_grad(set_to_none=True)
        loss, correct = self.backward(images, labels)
        self._scaler.unscale_(self._optimizer)
        norm = nn.utils.get_total_norm([p.grad for p in self._model.parameters() if p.grad is not None])
        self._scaler.step(self._optimizer)
        self._scaler.update()
        return torch.stack((loss, correct.to(loss.dtype), norm.to(loss.dtype)))

    def backward(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Adds the gradients of a batch, a micro-batch at a time, times the scale of float16.

        Returns:
            Its mean loss, and how many images were right, both on the device.
        """
        sizes = batch_sizes(len(labels), self._micro_batch)
        losses, correct = [], []
        for part, truth in zip(torch.split(images, sizes), torch.split(labels, sizes), strict=True):
            with self._precision.autocast(self._device):
                logits = self._model(part)
                exact = logits.to(torch.promote_types(logits.dtype, torch.float32))
                loss = functional.cross_entropy(exact, truth) * (len(truth) / len(labels))
            torch.autograd.backward(self._scaler.scale(loss))
            losses.append(loss.detach())
            correct.append((logits.argmax(1) == truth).sum())
        return torch.stack(losses).sum(), torch.stack(correct).sum()

    def read(self) -> list[StepNumbers]:
        """The numbers of the steps since it was last asked; waits for them."""
        if not self._unread:
            return []
        images, rows = zip(*self._unread, strict=True)
        self._unread = []
        return [
            StepNumbers(n, loss, int(correct), norm)
            for n, (loss, correct, norm) in zip(images, torch.stack(rows).tolist(), strict=True)
        ]

    def state(self) -> dict[str, Any]:
        """What it must know to go on as it would have."""
        return self._scaler.state_dict()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state` gave; from one of another precision it starts anew."""
        if state and self._scaler.is_enabled():
            self._scaler.load_state_dict(dict(state))


def batch_sizes(images: int, batch_size: int) -> list[int]:
    """How many images each step of an epoch takes.

    A last batch of a single image joins the one before it: a norm layer cannot train on it where a network has
    shrunk its maps to one pixel.
    """
    sizes = [batch_size] * (images // batch_size)
    rest = images % batch_size
    if rest == 1 and sizes:
        sizes[-1] += 1
    elif rest:
        sizes.append(rest)
    return sizes
