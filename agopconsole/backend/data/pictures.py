"""Pictures on the device that trains: one uint8 tensor, of which a batch is gathered, augmented, resized, normalised.

Random numbers are drawn on the CPU and resizing is a matrix product, so a batch is the same on every device.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from agopconsole.backend.data.dataset import Images

_CHUNK = 1024
"""Images whose statistics are counted at a time."""


class Pictures:
    """A set of images on a device, ready to be fed to a network."""

    def __init__(
        self, images: Images, *, device: torch.device | str, image_size: int, mean: Tensor, std: Tensor
    ) -> None:
        """Moves the images to the device, as bytes.

        Args:
            images: the set.
            device: where its batches are wanted.
            image_size: side of the images in a batch, in pixels.
            mean: of each channel, shape (3,), of pixels from 0 to 1.
            std: their standard deviation, shape (3,).
        """
        self.pixels = images.pixels.to(device)
        self.labels = images.labels.to(device)
        self._mean, self._std = (t.float().reshape(3, 1, 1).mul(255).to(device) for t in (mean, std))
        self._rows, self._columns = (_resampling(side, image_size).to(device) for side in images.pixels.shape[2:])

    def __len__(self) -> int:
        return len(self.labels)

    def batch(
        self, indices: Tensor, *, augment: str = "none", generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """The images at `indices` and their labels, on the device.

        Args:
            indices: int64, shape (b,).
            augment: `none`; `flip`: mirrored left to right with probability 1/2; `crop_flip`: also moved by up to
                an eighth of their side, black where nothing is left.
            generator: of the augmentation; on the CPU.

        Returns:
            Images, float32, shape (b, 3, image_size, image_size), and labels, int64, shape (b,).

        Raises:
            ValueError: if an augmentation is asked for without a generator.
        """
        indices = indices.to(self.labels.device)
        pixels = self.pixels[indices]
        if augment != "none":
            if generator is None:
                raise ValueError("an augmentation draws from a generator")
            pixels = augmented(pixels, shift=augment == "crop_flip", generator=generator)
        # A grey channel is spread over three by the shapes of mean and deviation. Resizing is linear and its weights
        # sum to 1, so normalising can come first, where there are fewer pixels as a rule.
        images = (pixels.float() - self._mean) / self._std
        if len(self._rows) != images.shape[2]:
            images = self._rows @ images
        if len(self._columns) != images.shape[3]:
            images = images @ self._columns.T
        return images, self.labels[indices]

    def batches(self, batch_size: int, indices: Tensor | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches of the images at `indices` (None: all), in order, as they are; the last may be smaller."""
        indices = torch.arange(len(self)) if indices is None else indices
        for start in range(0, len(indices), batch_size):
            yield self.batch(indices[start : start + batch_size])


def augmented(pixels: Tensor, *, shift: bool, generator: torch.Generator) -> Tensor:
    """Each picture mirrored by the toss of a coin and, with `shift`, moved at random over a black ground.

    The same generator mirrors the same pictures with and without `shift`.

    Args:
        pixels: shape (b, c, h, w).
        shift: whether to move by up to 1/8 of the side, in whole pixels, each way.
        generator: on the CPU.
    """
    b, c, h, w = pixels.shape
    mirrored = torch.rand(b, generator=generator) < 0.5
    columns = torch.where(mirrored[:, None], torch.arange(w - 1, -1, -1), torch.arange(w))
    rows = torch.arange(h).expand(b, h)
    if shift:
        pad_h, pad_w = round(h / 8), round(w / 8)
        pixels = functional.pad(pixels, (pad_w, pad_w, pad_h, pad_h))
        rows = rows + torch.randint(2 * pad_h + 1, (b, 1), generator=generator)
        columns = columns + torch.randint(2 * pad_w + 1, (b, 1), generator=generator)
    where = torch.arange(b)[:, None, None, None], torch.arange(c)[:, None, None], rows[:, None, :, None]
    return pixels[tuple(index.to(pixels.device) for index in (*where, columns[:, None, None, :]))]


def channel_statistics(images: Images, indices: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel over the images at `indices`, of pixels from 0 to 1.

    The sums are whole numbers, so the order of the images plays no part, and no float copy of the set is made.

    Returns:
        Two tensors of shape (3,), float32; those of a grey set are equal in all three. A channel that is constant
        has the deviation 1, with which it is fed as zeros.
    """
    # numpy counts in one thread: many small torch calls crawl where another process has the cores.
    every, chosen = images.pixels.numpy(), indices.numpy()
    counts = np.zeros((every.shape[1], 256), np.int64)
    for start in range(0, len(chosen), _CHUNK):
        pixels = every[chosen[start : start + _CHUNK]]
        for channel, of_channel in enumerate(counts):
            of_channel += np.bincount(pixels[:, channel].ravel(), minlength=256)
    levels = np.arange(256)
    means, deviations = [], []
    for of_channel in counts:
        n, total, squares = (int((of_channel * levels**p).sum()) for p in range(3))
        means.append(total / n / 255)
        deviations.append(math.sqrt(n * squares - total**2) / n / 255 or 1.0)
    return torch.tensor(means).expand(3).clone(), torch.tensor(deviations).expand(3).clone()


def _resampling(side: int, new_side: int) -> Tensor:
    """The bilinear resampling of `side` pixels to `new_side`, antialiased where it shrinks, as a matrix.

    Shape (new_side, side), float32. Antialiased interpolation is missing on some devices; a product is everywhere.
    """
    identity = torch.eye(side)[None, None]
    return functional.interpolate(identity, (new_side, side), mode="bilinear", antialias=True)[0, 0]
