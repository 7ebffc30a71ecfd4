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
from agopconsole.backend.optimizers import build_optimizer, learning_rate
from agopconsole.backend.places import BEST_WEIGHTS, LAST_STATE
from agopconsole.backend.quicker import quickened
from agopconsole.backend.rng import stream, stream_seed
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


class _Trainer:
    def __init__(
        self, spec: RunSpec, run: Trainable, folder: Path, should_stop: Callable[[], bool], micro_batch: int
    ) -> None:
        self.spec, self.run, self.folder, self.should_stop = spec, run, folder, should_stop
        self.micro_batch = micro_batch
        self.evaluation_batch = max(1, EVALUATION_BATCH * micro_batch // spec.batch_size)
        self.optimizer = build_optimizer(spec, run.model.parameters())
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
        pending: list[StepMetrics] = []
        reported = began
        self.run.model.train()
        with quickened(self.run.model):
            for index, chosen in enumerate(torch.split(order, self.batches)):
                if self.should_stop():
                    raise StoppedError(f"stopped in epoch {epoch}, step {index + 1}")
                step = self.epoch * self.steps_an_epoch + index
                metrics = self.step(step, epoch, chosen, augmenting, tally)
                if not math.isfinite(metrics.loss):
                    yield StepsDone((*pending, metrics))
                    raise DivergedError(
                        f"diverged in epoch {epoch}, step {index + 1}: the training loss is {metrics.loss}"
                    )
                if step % self.keep_every == 0:
                    pending.append(metrics)
                if pending and time.perf_counter() - reported > _REPORT_SECONDS:
                    yield StepsDone(tuple(pending))
                    pending, reported = [], time.perf_counter()
            if pending:
                yield StepsDone(tuple(pending))
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
            gradient_norm=tally.gradient_norm / (index + 1),
            learning_rate=metrics.learning_rate,
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

    def step(self, step: int, epoch: int, chosen: Tensor, augmenting: torch.Generator, tally: _Tally) -> StepMetrics:
        """One optimiser step on the images `chosen`; a loss that is not finite leaves the weights as they are."""
        rate = learning_rate(self.spec, step, self.steps_an_epoch * self.spec.epochs)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        images, labels = self.run.pictures.batch(chosen, augment=self.spec.augment, generator=augmenting)
        self.optimizer.zero_grad(set_to_none=True)
        value, correct = self.backward(images, labels)
        gradient_norm = nn.utils.get_total_norm([p.grad for p in self.run.model.parameters() if p.grad is not None])
        if math.isfinite(value):
            self.optimizer.step()
            tally.add(value, correct, len(labels), float(gradient_norm))
        return StepMetrics(step + 1, epoch, value, float(gradient_norm), rate)

    def backward(self, images: Tensor, labels: Tensor) -> tuple[float, int]:
        """Adds the gradients of a batch, a micro-batch at a time; its mean loss, and how many images were right."""
        sizes = (
            [len(labels)] if self.micro_batch == self.spec.batch_size else batch_sizes(len(labels), self.micro_batch)
        )
        value, correct = 0.0, 0
        for part, truth in zip(torch.split(images, sizes), torch.split(labels, sizes), strict=True):
            with self.precision():
                logits = self.run.model(part)
                exact = logits.to(torch.promote_types(logits.dtype, torch.float32))
                loss = functional.cross_entropy(exact, truth) * (len(truth) / len(labels))
            torch.autograd.backward(loss)
            value += float(loss.detach())
            correct += int((logits.argmax(1) == truth).sum())
        return value, correct

    def precision(self) -> torch.autocast:
        """Autocast to the run's precision; weights and the loss stay in float32."""
        return torch.autocast(self.run.device.type, dtype=torch.bfloat16, enabled=self.spec.precision == "bfloat16")

    @torch.no_grad()
    def evaluate(self, pictures: Pictures, indices: Tensor | None = None) -> tuple[float, float]:
        """Mean loss and accuracy in percent over pictures, in eval mode."""
        self.run.model.eval()
        loss, correct, count = 0.0, 0, 0
        for images, labels in pictures.batches(self.evaluation_batch, indices):
            with self.precision():
                logits = self.run.model(images)
            loss += float(functional.cross_entropy(logits.float(), labels, reduction="sum"))
            correct += int((logits.argmax(1) == labels).sum())
            count += len(labels)
        return loss / count, 100 * correct / count

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
    """Sums over the images (loss, correct) and steps (gradient norm) of an epoch."""

    loss: float = 0.0
    correct: int = 0
    images: int = 0
    gradient_norm: float = 0.0

    def add(self, loss: float, correct: int, images: int, gradient_norm: float) -> None:
        self.loss += loss * images
        self.correct += correct
        self.images += images
        self.gradient_norm += gradient_norm
