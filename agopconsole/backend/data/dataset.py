"""A data set in memory, as every reader of this package hands it over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from agopconsole.part_sizes import check_classes

Report = Callable[[str], None]
"""Takes a line on the progress of something that lasts."""


def silent(line: str) -> None:
    """A `Report` that tells nobody."""
    del line


@dataclass(frozen=True, eq=False)
class Images:
    """Pictures and their classes, on the CPU.

    Attributes:
        pixels: uint8, shape (n, channels, h, w), one channel (grey) or three (RGB).
        labels: int64, shape (n,), counted from 0.
    """

    pixels: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        """Checks the shapes.

        Raises:
            ValueError: if pixels and labels are not of the shape and type above.
        """
        if self.pixels.dtype != torch.uint8 or self.pixels.ndim != 4 or self.pixels.shape[1] not in (1, 3):
            raise ValueError(
                f"pixels are uint8 (n, 1 or 3, h, w), not {self.pixels.dtype} {tuple(self.pixels.shape)}"
            )
        if self.labels.dtype != torch.int64 or self.labels.shape != self.pixels.shape[:1]:
            raise ValueError(f"labels are int64 ({len(self)},), not {self.labels.dtype} {tuple(self.labels.shape)}")

    def __len__(self) -> int:
        return len(self.pixels)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set: its published training split and, where there is one, its test split.

    Attributes:
        name: as in `catalogue.DATASETS`, or `imagefolder:PATH`.
        classes: name of each class, in the order of the labels.
        origin: where the pictures came from, in words that mean the same on every machine.
    """

    name: str
    classes: tuple[str, ...]
    train: Images
    test: Images | None
    origin: str

    def subset(self, classes: tuple[int, ...]) -> Dataset:
        """Only those classes, relabelled from 0 in the order given.

        Raises:
            RequestError: if there is no such class.
        """
        check_classes(self.name, classes, len(self.classes))
        places = torch.full((len(self.classes),), -1)
        places[list(classes)] = torch.arange(len(classes))

        def kept(images: Images) -> Images:
            labels = places[images.labels]
            return Images(images.pixels[labels >= 0], labels[labels >= 0])

        return replace(
            self,
            classes=tuple(self.classes[c] for c in classes),
            train=kept(self.train),
            test=kept(self.test) if self.test is not None else None,
        )


@dataclass(frozen=True, slots=True)
class Found:
    """A form of a data set that lies on disk.

    Attributes:
        form: `archive`, `folder` (an archive that was unpacked), `idx` or `tree` (a picture tree).
        location: the file or folder.
        read: reads it.
    """

    form: str
    location: Path
    read: Callable[[Report], Dataset]
