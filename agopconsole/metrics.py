"""The numbers that a run yields, as the engine hands them over and the store keeps them.

Accuracies are percentages, losses are mean cross-entropies in nats, times are seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StepMetrics:
    """One optimiser step; `gradient_norm` is the 2-norm over all parameters."""

    step: int
    epoch: int
    loss: float
    gradient_norm: float
    learning_rate: float


@dataclass(frozen=True, slots=True)
class EpochMetrics:
    """One epoch.

    Attributes:
        epoch: counted from 1.
        step: optimiser steps taken so far.
        train_loss, train_accuracy: mean over the epoch's batches, in train mode, while the weights move.
        fixed_train_loss, fixed_train_accuracy: after it, in eval mode, over a fixed sample of the training set.
        val_loss, val_accuracy: after it, in eval mode, over the validation set.
        gradient_norm: mean over the epoch's steps.
        seconds: of training and evaluation together.
        images_per_second: of training alone.
    """

    epoch: int
    step: int
    train_loss: float
    train_accuracy: float
    fixed_train_loss: float
    fixed_train_accuracy: float
    val_loss: float
    val_accuracy: float
    gradient_norm: float
    learning_rate: float
    seconds: float
    images_per_second: float

    @property
    def loss_gap(self) -> float:
        """Validation loss less training loss, both in eval mode: above 0 the network overfits."""
        return self.val_loss - self.fixed_train_loss

    @property
    def poster_loss_gap(self) -> float:
        """The source study's gap: validation loss (dropout off) less running training loss (dropout on)."""
        return self.val_loss - self.train_loss


@dataclass(frozen=True, slots=True)
class LayerStart:
    """One layer of a network before training, measured on one batch of images.

    Attributes:
        layer: the module's name.
        c_out, dim: number of filters and length of each (c_in/groups * k_h * k_w).
        weight_variance: mean square of the weights over Kaiming's 2/dim.
        output_mean_square: mean square of the layer's outputs; 2 for a Kaiming start in a deep layer.
        common_mode: m^T S m over its value for isotropic filters of equal trace, m the mean input patch, S = W^T W.
        between_share: share of the outputs' mean square that differs between images at the same channel and place.
        participation_ratio: (sum l)^2 / sum l^2 of the eigenvalues of the images' covariance at this layer.
        gradient_ratio: Frobenius norm of the loss gradient over that of the weights.
    """

    layer: str
    c_out: int
    dim: int
    weight_variance: float
    output_mean_square: float
    common_mode: float
    between_share: float
    participation_ratio: float
    gradient_ratio: float


@dataclass(frozen=True, slots=True)
class LayerAnsatz:
    """One layer's correlations of the Neural Feature Ansatz: Pearson's, over all entries of two (d, d) matrices.

    Attributes:
        layer: the name of its matrix.
        nfm_agop, nfm_agop_sqrt: of the NFM with the AGOP, and with the AGOP's matrix square root.
        nfm_initial_nfm: of the NFM with that of the network's start; NaN where the start is not known.
    """

    layer: str
    nfm_agop: float
    nfm_agop_sqrt: float
    nfm_initial_nfm: float


@dataclass(frozen=True, slots=True)
class EpochAnsatz:
    """The ansatz of a run's layers after an epoch; epoch 0 is the start."""

    epoch: int
    layers: tuple[LayerAnsatz, ...]


def stayed_at_chance(history: Sequence[EpochMetrics], classes: int) -> bool:
    """Whether a run never left chance: no training loss below 95 % of ln K, no accuracy above twice chance."""
    lowest = min(e.train_loss for e in history)
    best = max(e.val_accuracy for e in history)
    return lowest > 0.95 * math.log(classes) and best < 200 / classes
