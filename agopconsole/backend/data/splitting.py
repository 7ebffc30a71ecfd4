"""Which images a run trains on, which validate it, and in which order an epoch takes them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from agopconsole.backend.data.dataset import Dataset
from agopconsole.backend.rng import stream
from agopconsole.errors import RequestError
from agopconsole.wording import counted


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
    order = torch.randperm(n, generator=stream(seed, "split"))
    held_out = round(val_fraction * n)
    rest = n - held_out
    if not (held_out and rest):
        part = "train on" if held_out else "validate on"
        raise RequestError(
            f"val_fraction {val_fraction:g} of {counted(n, 'image')} of {dataset.name} leaves none to {part}"
        )
    if limit is not None and not 0 < limit <= rest:
        raise RequestError(
            f"limit {limit}: {dataset.name} has {counted(rest, 'image')} to train on ({held_out} of {n} are held out)"
        )
    return Split(train=order[held_out:][:limit], val=order[:held_out])


def epoch_order(n: int, seed: int, epoch: int) -> Tensor:
    """The order in which an epoch takes `n` images: a permutation, int64, by seed and epoch alone."""
    return torch.randperm(n, generator=stream(seed, "order", epoch))
