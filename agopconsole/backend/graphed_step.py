"""Optimiser steps on an NVIDIA GPU as one launch each.

A step of a small network is hundreds of kernels, and a processor takes longer to launch them one by one than the GPU
to compute them. A CUDA graph records a step once and launches it whole: the same kernels on the same memory.
"""

from __future__ import annotations

import contextlib
import warnings
from collections import Counter
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from agopconsole.backend.precision import Precision
from agopconsole.backend.step import Stepper

_WARM_UP = 3
"""Steps kernel by kernel before one is recorded: in them libraries choose and load their kernels."""


def build_stepper(
    model: nn.Module, optimizer: torch.optim.Optimizer, precision: Precision, device: torch.device, micro_batch: int
) -> Stepper:
    """The fastest stepper for a device; the arguments are those of `Stepper`."""
    # The scale of float16 is looked at by the processor in every step.
    graphed = device.type == "cuda" and torch.version.hip is None and precision.name != "float16"
    return (GraphedStepper if graphed else Stepper)(model, optimizer, precision, device, micro_batch)


class GraphedStepper(Stepper):
    """Takes steps kernel by kernel at first, and records the first size of batch that has come several times.

    Batches of another size go on kernel by kernel, and so do all where a step waits for the GPU, which no graph can.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        precision: Precision,
        device: torch.device,
        micro_batch: int,
    ) -> None:
        super().__init__(model, optimizer, precision, device, micro_batch)
        self._lr = torch.zeros((), device=device)  # a graph holds numbers as they were, but looks into memory
        # torch.cuda.Stream has no annotations.
        self._aside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._came: Counter[torch.Size] = Counter()
        self._waits = False
        self._graph: torch.cuda.CUDAGraph | None = None

    def take(self, images: Tensor, labels: Tensor, rate: float) -> None:
        """One step on a batch."""
        self._lr.fill_(rate)
        for group in self._optimizer.param_groups:
            group["lr"] = self._lr
        self._came[images.shape] += 1
        if self._graph is None and not self._waits and self._came[images.shape] > _WARM_UP:
            self._record(images, labels)
        if self._graph is None or images.shape != self._images.shape:
            self._unread.append((len(labels), self._by_kernels(images, labels)))
            return
        self._images.copy_(images)
        self._labels.copy_(labels)
        self._graph.replay()
        self._unread.append((len(labels), self._numbers.clone()))

    def _by_kernels(self, images: Tensor, labels: Tensor) -> Tensor:
        """One step beside the default stream, as a recording has it, and whether it waits for the GPU."""
        self._aside.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._aside), _noted_waits() as caught:
            numbers = self._step(images, labels)
        torch.cuda.current_stream(self._device).wait_stream(self._aside)
        # Libraries wait while they load their kernels, in the first steps of a size.
        if self._came[images.shape] == _WARM_UP:
            self._waits = bool(caught)
        return numbers

    def _record(self, images: Tensor, labels: Tensor) -> None:
        """Records a step, without taking it."""
        self._images, self._labels = images.clone(), labels.clone()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._numbers = self._step(self._images, self._labels)
        self._graph = graph


@contextlib.contextmanager
def _noted_waits() -> Iterator[list[warnings.WarningMessage]]:
    """The warnings of operations that wait for the GPU, in a list that is filled meanwhile."""
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.cuda.set_sync_debug_mode("warn")  # says that it is a prototype
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("ignore")
            warnings.filterwarnings("always", "called a synchronizing CUDA operation")
            yield caught
    finally:
        torch.cuda.set_sync_debug_mode(before)
