"""The names a run can ask for and the facts about them that need no torch: data sets, models, optimisers.

The engine holds the code behind each name; this table is what the light commands and the checks of a spec read.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What is known of a data set before any of it is on disk.

    Attributes:
        classes: number of classes (0: read from the folders).
        native_size: side of its square pictures in pixels (0: read from the pictures).
        image_size: side that they are fed at unless the run says otherwise: VGG halves its maps five times, so
            nothing below 32 px will do.
        train, test: number of pictures of each published split (0: read from the folders).
        title: one line for a reader.
    """

    classes: int
    native_size: int
    image_size: int
    train: int
    test: int
    title: str


DATASETS: dict[str, DatasetFacts] = {
    "svhn": DatasetFacts(10, 32, 32, 73257, 26032, "Street View House Numbers, cropped digits"),
    "cifar10": DatasetFacts(10, 32, 32, 50000, 10000, "CIFAR-10, small photographs of 10 kinds"),
    "cifar100": DatasetFacts(100, 32, 32, 50000, 10000, "CIFAR-100, small photographs of 100 kinds"),
    "tiny_imagenet": DatasetFacts(200, 64, 64, 100000, 10000, "Tiny ImageNet, 200 of ImageNet's classes"),
    "mnist": DatasetFacts(10, 28, 32, 60000, 10000, "MNIST, handwritten digits"),
    "fashion_mnist": DatasetFacts(10, 28, 32, 60000, 10000, "Fashion-MNIST, pictures of clothes"),
    "digits": DatasetFacts(10, 8, 32, 1437, 360, "scikit-learn's handwritten digits; always there"),
}
IMAGE_FOLDER = "imagefolder"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The names of a network's layers, in the order it holds them.

    Attributes:
        convolutions: those of its convolutions.
        others: those of its linear layers.
    """

    convolutions: tuple[str, ...]
    others: tuple[str, ...]


def _vgg(*positions: int) -> ModelFacts:
    convolutions = tuple(f"features.{position}" for position in positions)
    return ModelFacts(convolutions, ("classifier.0", "classifier.3", "classifier.6"))


def _resnet18() -> ModelFacts:
    names = ["conv1"]
    for stage, block in itertools.product(range(1, 5), range(2)):
        names += [f"layer{stage}.{block}.conv1", f"layer{stage}.{block}.conv2"]
        if stage > 1 and block == 0:
            names.append(f"layer{stage}.0.downsample.0")
    return ModelFacts(tuple(names), ("fc",))


MODELS: dict[str, ModelFacts] = {
    "vgg11": _vgg(0, 3, 6, 8, 11, 13, 16, 18),
    "vgg11_bn": _vgg(0, 4, 8, 11, 15, 18, 22, 25),
    "vgg13": _vgg(0, 2, 5, 7, 10, 12, 15, 17, 20, 22),
    "vgg16": _vgg(0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
    "vgg19": _vgg(0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34),
    "resnet18": _resnet18(),
}
OPTIMIZERS: tuple[str, ...] = ("sgd", "adamw")
SCHEDULES: tuple[str, ...] = ("constant", "cosine")
AUGMENTATIONS: tuple[str, ...] = ("none", "flip", "crop_flip")
PRECISIONS: tuple[str, ...] = ("float32", "bfloat16")

STATUSES: tuple[str, ...] = ("queued", "waiting", "running", "paused", "done", "failed", "cancelled")
ENDED: tuple[str, ...] = ("done", "failed", "cancelled")
