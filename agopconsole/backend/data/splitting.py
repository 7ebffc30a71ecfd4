"""Which images a run trains on, which validate it, and in which order an epoch takes them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from agopconsole.backend.data.dataset import Dataset
from agopconsole.backend.rng import stream
from agopconsole.part_sizes import part_sizes


@dataclass(frozen=True, eq=False)
class Split:
    """Indices into a data set's training images, int64; no image is in both parts."""

    train: Tensor
    val: Tensor


def split(dataset: Dataset, *, seed: int, val_fraction: float, limit: int | None = None) -> Split:
    """Splits the training images at random, by the seed alone.

    The validation part does not depend on `limit`, and a larger limit contains a smaller one, so that runs on more
    or fewer images compare.

    Args:
        dataset: whose training images are split.
        seed: of the permutation.
        val_fraction: share of the images held out for validation.
        limit: train on that many of the rest (None: all).

    Raises:
        RequestError: if a part would be empty, or the limit is more than there is.
    """
    n = len(dataset.train)
    trained_on, held_out = part_sizes(dataset.name, n, val_fraction=val_fraction, limit=limit)
    order = torch.randperm(n, generator=stream(seed, "split"))
    return Split(train=order[held_out:][:trained_on], val=order[:held_out])


def epoch_order(n: int, seed: int, epoch: int) -> Tensor:
    """The order in which an epoch takes `n` images: a permutation, int64, by seed and epoch alone."""
    return torch.randperm(n, generator=stream(seed, "order", epoch))
