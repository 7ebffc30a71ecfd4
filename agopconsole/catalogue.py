"""The names a run can ask for and the facts about them that need no torch: data sets, models, optimisers.

The engine holds the code behind each name; this table is what the light commands and the checks of a spec read.
"""

from __future__ import annotations

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

MODELS: tuple[str, ...] = ("vgg11", "vgg11_bn", "vgg13", "vgg16", "vgg19", "resnet18")
OPTIMIZERS: tuple[str, ...] = ("sgd", "adamw")
SCHEDULES: tuple[str, ...] = ("constant", "cosine")
AUGMENTATIONS: tuple[str, ...] = ("none", "flip", "crop_flip")
PRECISIONS: tuple[str, ...] = ("float32", "bfloat16")

STATUSES: tuple[str, ...] = ("queued", "waiting", "running", "paused", "done", "failed", "cancelled")
ENDED: tuple[str, ...] = ("done", "failed", "cancelled")
