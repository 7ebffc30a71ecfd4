"""The trainer: one network, one device, cross-entropy; it yields what happens and writes a checkpoint an epoch.

An epoch's randomness (order, dropout, augmentation) comes from streams that depend on the seed and the epoch alone,
so a run that is taken up again after any epoch goes on with the same numbers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from agopconsole.backend import checkpoint
from agopconsole.backend.ansatz_watch import AnsatzWatch
from agopconsole.backend.data import Pictures, epoch_order
from agopconsole.backend.devices import synchronize
from agopconsole.backend.events import (
    AnsatzMeasured,
    DivergedError,
    EpochDone,
    Event,
    Finished,
    Note,
    StepsDone,
    StoppedError,
)
from agopconsole.backend.graphed_step import build_stepper
from agopconsole.backend.optimizers import align_memory, build_optimizer, learning_rate
from agopconsole.backend.places import BEST_WEIGHTS, LAST_STATE
from agopconsole.backend.precision import pick_precision
from agopconsole.backend.quicker import quickened
from agopconsole.backend.rng import stream, stream_seed
from agopconsole.backend.step import StepNumbers, batch_sizes
from agopconsole.metrics import EpochAnsatz, EpochMetrics, LayerAnsatz, StepMetrics, stayed_at_chance
from agopconsole.spec import RunSpec

EVALUATION_BATCH = 256
FIXED_SAMPLE = 2000
"""Images of the training set that the loss gap is measured over: enough for a gap of 0.01, cheap beside an epoch."""

_STEPS_KEPT = 2000
_REPORT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Trainable:
    """A network on its device, and the images it sees.

    Attributes:
        train, validation: index the same training pictures of the data set.
    """

    model: nn.Module
    device: torch.device
    pictures: Pictures
    train: Tensor
    validation: Tensor
    test: Pictures | None
    classes: tuple[str, ...]


def train(
    spec: RunSpec, run: Trainable, folder: Path, should_stop: Callable[[], bool], *, micro_batch: int | None = None
) -> Iterator[Event]:
    """Trains `run.model` in place as `spec` asks, from the checkpoint in `folder` if there is one of this spec.

    Args:
        spec: the run.
        run: network and images.
        folder: where the checkpoints go.
        should_stop: asked at every step.
        micro_batch: how many images go through the network at once; None for a whole batch. A step is the same but
            for rounding, dropout's masks, and the batch that a norm layer sees.

    Yields:
        `StepsDone`, `EpochDone`, `AnsatzMeasured` and, at the end, `Finished`.

    Raises:
        DivergedError: when a loss is not finite.
        StoppedError: when it was asked to stop.
    """
    trainer = _Trainer(spec, run, folder, should_stop, micro_batch or spec.batch_size)
    trainer.resume()
    for metrics in trainer.history:
        yield EpochDone(metrics)  # again, in case the process died between a checkpoint and its record
    for ansatz in trainer.ansatz:
        yield AnsatzMeasured(ansatz)
    if not trainer.history:
        yield from trainer.measure_ansatz()
    while trainer.epoch < spec.epochs:
        yield from trainer.run_epoch()
    yield trainer.finish()


class _Trainer:
    def __init__(
        self, spec: RunSpec, run: Trainable, folder: Path, should_stop: Callable[[], bool], micro_batch: int
    ) -> None:
        self.spec, self.run, self.folder, self.should_stop = spec, run, folder, should_stop
        self.evaluation_batch = max(1, EVALUATION_BATCH * micro_batch // spec.batch_size)
        self.precision = pick_precision(spec.precision, run.device)
        if run.device.type == "cuda" or self.precision.name == "bfloat16":
            run.model.to(memory_format=torch.channels_last)  # as tensor cores and products with patches want it
        self.optimizer = build_optimizer(spec, list(run.model.parameters()))
        self.stepper = build_stepper(run.model, self.optimizer, self.precision, run.device, micro_batch)
        self.batches = batch_sizes(len(run.train), spec.batch_size)
        self.steps_an_epoch = len(self.batches)
        self.keep_every = math.ceil(self.steps_an_epoch * spec.epochs / _STEPS_KEPT)
        chosen = torch.randperm(len(run.train), generator=stream(spec.split_seed, "fixed sample"))[:FIXED_SAMPLE]
        self.fixed_sample = run.train[chosen.sort().values]
        self.epoch = 0
        self.history: list[EpochMetrics] = []
        self.watch = AnsatzWatch(spec, run.model, run.pictures, run.train, len(run.classes))
        self.ansatz: list[EpochAnsatz] = []

    def resume(self) -> None:
        """Takes up the last checkpoint of this spec, if there is one."""
        state = checkpoint.load_state(self.folder / LAST_STATE)
        if state is None or state["fingerprint"] != self.spec.fingerprint:
            return
        self.run.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        align_memory(self.optimizer)
        self.stepper.load_state(state.get("stepper", {}))
        self.history = [EpochMetrics(**row) for row in state["history"]]
        self.ansatz = [
            EpochAnsatz(epoch, tuple(LayerAnsatz(**layer) for layer in layers))
            for epoch, layers in state.get("ansatz", ())
        ]
        self.epoch = len(self.history)

    def run_epoch(self) -> Iterator[Event]:
        """One pass over the training images, its evaluation and its checkpoint."""
        began = time.perf_counter()
        epoch = self.epoch + 1
        torch.manual_seed(stream_seed(self.spec.seed, "dropout", epoch))
        augmenting = stream(self.spec.seed, "augmentation", epoch)
        order = self.run.train[epoch_order(len(self.run.train), self.spec.seed, epoch)]
        tally = _Tally()
        first = self.epoch * self.steps_an_epoch
        read, reported = 0, began
        self.run.model.train()
        with quickened(self.run.model):
            for index, chosen in enumerate(torch.split(order.to(self.run.device), self.batches)):
                if self.should_stop():
                    raise StoppedError(f"stopped in epoch {epoch}, step {index + 1}")
                self.take_step(first + index, chosen, augmenting)
                last = index + 1 == self.steps_an_epoch
                if last or time.perf_counter() - reported > _REPORT_SECONDS:
                    yield from self.report(first + read, epoch, tally)
                    read, reported = index + 1, time.perf_counter()
            synchronize(self.run.device)
            trained = time.perf_counter()
            fixed_loss, fixed_accuracy = self.evaluate(self.run.pictures, self.fixed_sample)
            val_loss, val_accuracy = self.evaluate(self.run.pictures, self.run.validation)
        metrics_of_epoch = EpochMetrics(
            epoch=epoch,
            step=epoch * self.steps_an_epoch,
            train_loss=tally.loss / tally.images,
            train_accuracy=100 * tally.correct / tally.images,
            fixed_train_loss=fixed_loss,
            fixed_train_accuracy=fixed_accuracy,
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            gradient_norm=tally.gradient_norm / max(1, tally.norms),
            learning_rate=self.rate(epoch * self.steps_an_epoch - 1),
            seconds=time.perf_counter() - began,
            images_per_second=tally.images / (trained - began),
        )
        if not math.isfinite(val_loss):
            raise DivergedError(f"diverged after epoch {epoch}: the validation loss is {val_loss}")
        self.epoch = epoch
        self.history.append(metrics_of_epoch)
        ansatz = self.measure_ansatz()
        self.save()
        yield EpochDone(metrics_of_epoch)
        yield from ansatz

    def measure_ansatz(self) -> list[Event]:
        """Correlates NFM and AGOP if this is asked for after the present epoch; it never ends a run."""
        try:
            ansatz = self.watch.after(self.epoch)
        except ValueError as error:
            return [Note(f"NFM and AGOP after epoch {self.epoch} were not correlated: {error}", "warning")]
        if ansatz is None:
            return []
        self.ansatz.append(ansatz)
        return [AnsatzMeasured(ansatz)]

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0 over the whole run."""
        return learning_rate(self.spec, step, self.steps_an_epoch * self.spec.epochs)

    def take_step(self, step: int, chosen: Tensor, augmenting: torch.Generator) -> None:
        """One optimiser step on the images `chosen`; its numbers are there once they are reported."""
        images, labels = self.run.pictures.batch(chosen, augment=self.spec.augment, generator=augmenting)
        self.stepper.take(images, labels, self.rate(step))

    def report(self, first: int, epoch: int, tally: _Tally) -> Iterator[Event]:
        """The steps from `first` on, thinned, and added to the tally.

        Raises:
            DivergedError: at the first whose loss is not finite.
        """
        kept: list[StepMetrics] = []
        for step, numbers in enumerate(self.stepper.read(), first):
            metrics = StepMetrics(step + 1, epoch, numbers.loss, numbers.gradient_norm, self.rate(step))
            if not math.isfinite(numbers.loss):
                yield StepsDone((*kept, metrics))
                within = step - (epoch - 1) * self.steps_an_epoch + 1
                raise DivergedError(f"diverged in epoch {epoch}, step {within}: the training loss is {numbers.loss}")
            tally.add(numbers)
            if step % self.keep_every == 0:
                kept.append(metrics)
        if kept:
            yield StepsDone(tuple(kept))

    @torch.no_grad()
    def evaluate(self, pictures: Pictures, indices: Tensor | None = None) -> tuple[float, float]:
        """Mean loss and accuracy in percent over pictures, in eval mode."""
        self.run.model.eval()
        losses, correct = [], []
        for images, labels in pictures.batches(self.evaluation_batch, indices):
            with self.precision.autocast(self.run.device):
                logits = self.run.model(images)
            losses.append(functional.cross_entropy(logits.float(), labels, reduction="sum"))
            correct.append((logits.argmax(1) == labels).sum())
        count = len(pictures if indices is None else indices)
        return sum(torch.stack(losses).tolist()) / count, 100 * int(torch.stack(correct).sum()) / count

    def save(self) -> None:
        """Writes the last epoch's checkpoint and, after the best epoch so far, its weights."""
        weights = self.run.model.state_dict()
        latest = self.history[-1]
        if all(latest.val_accuracy > earlier.val_accuracy for earlier in self.history[:-1]):
            checkpoint.save_weights(self.folder / BEST_WEIGHTS, weights, self._facts(latest))
        checkpoint.save_state(
            self.folder / LAST_STATE,
            {
                "fingerprint": self.spec.fingerprint,
                "model": weights,
                "optimizer": self.optimizer.state_dict(),
                "stepper": self.stepper.state(),
                "history": [asdict(row) for row in self.history],
                "ansatz": [(row.epoch, [asdict(layer) for layer in row.layers]) for row in self.ansatz],
            },
        )

    def _facts(self, latest: EpochMetrics) -> dict[str, Any]:
        """What whoever starts from the best weights must know of them."""
        return {
            "model": self.spec.model,
            "dataset": self.spec.dataset,
            "image_size": self.spec.fed_size,
            "classes": list(self.run.classes),
            "epoch": latest.epoch,
            "val_accuracy": latest.val_accuracy,
            "spec": asdict(self.spec),
        }

    def finish(self) -> Finished:
        """Measures the test accuracy at the epoch that validation chose."""
        test_accuracy = None
        if self.run.test is not None:
            best = checkpoint.load_weights(self.folder / BEST_WEIGHTS)
            self.run.model.load_state_dict(best.tensors)
            with quickened(self.run.model):
                test_accuracy = self.evaluate(self.run.test)[1]
        return Finished(test_accuracy, stayed_at_chance(self.history, len(self.run.classes)))


@dataclass(slots=True)
class _Tally:
    """Sums over the images (loss, correct) and steps (gradient norm, where float16 did not overflow) of an epoch."""

    loss: float = 0.0
    correct: int = 0
    images: int = 0
    gradient_norm: float = 0.0
    norms: int = 0

    def add(self, step: StepNumbers) -> None:
        self.loss += step.loss * step.images
        self.correct += step.correct
        self.images += step.images
        if math.isfinite(step.gradient_norm):
            self.gradient_norm += step.gradient_norm
            self.norms += 1
