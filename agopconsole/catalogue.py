"""The names a run can ask for and the facts about them that need no torch: data sets, models, optimisers.

The engine holds the code behind each name; this table is what the light commands and the checks of a spec read.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agopconsole.correspondence import Layer, correspond
from agopconsole.errors import RequestError
from agopconsole.wording import counted


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
        uneven: training pictures of each class, where these differ.
    """

    classes: int
    native_size: int
    image_size: int
    train: int
    test: int
    title: str
    uneven: tuple[int, ...] = ()

    @property
    def class_sizes(self) -> tuple[int, ...]:
        """Training pictures of each class, as published."""
        return self.uneven or (self.train // self.classes,) * self.classes

    def train_in(self, kept: Sequence[int] | None) -> int:
        """Training pictures of the classes that are kept (None: all)."""
        return self.train if kept is None else sum(self.class_sizes[index] for index in kept)


_SVHN = (4948, 13861, 10585, 8497, 7458, 6882, 5727, 5595, 5045, 4659)
_MNIST = (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)
_DIGITS = (143, 146, 142, 146, 144, 145, 144, 143, 141, 143)

DATASETS: dict[str, DatasetFacts] = {
    "svhn": DatasetFacts(10, 32, 32, 73257, 26032, "Street View House Numbers, cropped digits", _SVHN),
    "cifar10": DatasetFacts(10, 32, 32, 50000, 10000, "CIFAR-10, small photographs of 10 kinds"),
    "cifar100": DatasetFacts(100, 32, 32, 50000, 10000, "CIFAR-100, small photographs of 100 kinds"),
    "tiny_imagenet": DatasetFacts(200, 64, 64, 100000, 10000, "Tiny ImageNet, 200 of ImageNet's classes"),
    "mnist": DatasetFacts(10, 28, 32, 60000, 10000, "MNIST, handwritten digits", _MNIST),
    "fashion_mnist": DatasetFacts(10, 28, 32, 60000, 10000, "Fashion-MNIST, pictures of clothes"),
    "digits": DatasetFacts(10, 8, 32, 1437, 360, "scikit-learn's handwritten digits; always there", _DIGITS),
}
IMAGE_FOLDER = "imagefolder"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a network before it is built.

    Attributes:
        convolutions: names of its convolutions, in the order it holds them.
        patches: for each of them the shape of what a filter sees, (c_in, k_h, k_w).
        others: names of its linear layers, and of q, k and v of its attentions.
        attentions: names of its attentions.
        normed: names of the layers whose outputs go through a batch norm before anything else sees them.
        smallest: side of the smallest images that it can take, in pixels.
        patch: the side of an image must be a multiple of it, in pixels.
        on_imagenet: whether there are weights of it that were trained on ImageNet.
    """

    convolutions: tuple[str, ...]
    patches: tuple[tuple[int, int, int], ...]
    others: tuple[str, ...]
    attentions: tuple[str, ...] = ()
    normed: tuple[str, ...] = ()
    smallest: int = 1
    patch: int = 1
    on_imagenet: bool = True


def _vgg(positions: tuple[int, ...], channels: tuple[int, ...]) -> ModelFacts:
    """Of the positions of its convolutions among its layers, and the channels that each takes."""
    return ModelFacts(
        tuple(f"features.{position}" for position in positions),
        tuple((taken, 3, 3) for taken in channels),
        ("classifier.0", "classifier.3", "classifier.6"),
        smallest=32,  # it halves its maps five times
    )


def _resnet18() -> ModelFacts:
    convolutions = {"conv1": (3, 7, 7)}
    width = 64
    for stage, block in itertools.product(range(1, 5), range(2)):
        taken, width = width, 64 * 2 ** (stage - 1)
        convolutions[f"layer{stage}.{block}.conv1"] = (taken, 3, 3)
        convolutions[f"layer{stage}.{block}.conv2"] = (width, 3, 3)
        if taken != width:
            convolutions[f"layer{stage}.{block}.downsample.0"] = (taken, 1, 1)
    names = tuple(convolutions)
    return ModelFacts(names, tuple(convolutions.values()), ("fc",), normed=names)


_PARTS = ("q", "k", "v", "out_proj")
"""The layers of an attention."""


def _vit(blocks: int, patch: int, *, on_imagenet: bool) -> ModelFacts:
    others, attentions = [], []
    for block in (f"encoder.layers.encoder_layer_{number}" for number in range(blocks)):
        attentions.append(f"{block}.self_attention")
        others += [f"{attentions[-1]}.{part}" for part in _PARTS]
        others += [f"{block}.mlp.0", f"{block}.mlp.3"]
    return ModelFacts(
        ("conv_proj",),
        ((3, patch, patch),),
        (*others, "heads.head"),
        tuple(attentions),
        patch=patch,
        on_imagenet=on_imagenet,
    )


def _normed(facts: ModelFacts) -> ModelFacts:
    """The same network with a batch norm behind each convolution."""
    return replace(facts, normed=facts.convolutions)


_VGG11 = (3, 64, 128, 256, 256, 512, 512, 512)
MODELS: dict[str, ModelFacts] = {
    "vgg11": _vgg((0, 3, 6, 8, 11, 13, 16, 18), _VGG11),
    "vgg11_bn": _normed(_vgg((0, 4, 8, 11, 15, 18, 22, 25), _VGG11)),
    "vgg13": _vgg((0, 2, 5, 7, 10, 12, 15, 17, 20, 22), (3, 64, 64, 128, 128, 256, 256, 512, 512, 512)),
    "vgg16": _vgg(
        (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
        (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512),
    ),
    "vgg19": _vgg(
        (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34),
        (3, 64, 64, 128, 128, 256, 256, 256, 256, 512, 512, 512, 512, 512, 512, 512),
    ),
    "resnet18": _resnet18(),
    "vit_tiny": _vit(4, patch=4, on_imagenet=False),
    "vit_b_32": _vit(12, patch=32, on_imagenet=True),
}


def normed_layers(model: str) -> tuple[str, ...]:
    """The layers of a network with a batch norm behind them; none of one that this version does not know."""
    return MODELS[model].normed if model in MODELS else ()


def check_model(model: str, image_size: int, layers: str) -> None:
    """Checks that a network takes images of that size and has the layers that are named.

    Raises:
        RequestError: saying what it takes, or has, instead.
    """
    facts = MODELS[model]
    if image_size < facts.smallest:
        raise RequestError(f"image_size must be at least {facts.smallest} for {model}, not {image_size}")
    if image_size % facts.patch:
        raise RequestError(f"image_size must be a multiple of {facts.patch} for {model}, not {image_size}")
    if layers == "attention" and not facts.attentions:
        having = ", ".join(name for name, other in MODELS.items() if other.attentions)
        raise RequestError(f"layers 'attention': {model} has none; choose from the models {having}")
    if layers in ("conv", "all", "attention"):
        return
    if re.fullmatch(r"first:[1-9]\d{0,8}", layers):
        if int(layers.removeprefix("first:")) > len(facts.convolutions):
            raise RequestError(f"layers '{layers}': {model} has {counted(len(facts.convolutions), 'convolution')}")
        return
    if not re.fullmatch(r"[\w.]+(,[\w.]+)*", layers) or layers == "first":
        raise RequestError(
            f"layers '{layers}' is none of conv, all, attention, first:N, or names separated by commas"
        )
    known = (*facts.convolutions, *facts.others)
    for name in layers.split(","):
        if not any(_named(layer, name) for layer in known):
            raise RequestError(f"layers '{layers}': {model} has no {name}; choose from {', '.join(_blocks(facts))}")


def check_counterparts(model: str, source: str, layers: str) -> None:
    """Checks that the convolutions under test have counterparts in a source of another network.

    Whether linear layers and attentions have any depends on the size of the images, and shows when both are built.

    Raises:
        RequestError: naming the first that has none, and why.
    """
    known, others = (
        {name: Layer("convolution", patch) for name, patch in zip(facts.convolutions, facts.patches, strict=True)}
        for facts in (MODELS[model], MODELS[source])
    )
    for name, reason in correspond(known, others).reasons.items():
        if name in _convolutions(model, layers):
            raise RequestError(
                f"source_model '{source}': layer '{name}' of {model} corresponds to none of it: {reason}"
            )


def _convolutions(model: str, layers: str) -> tuple[str, ...]:
    """Those of its convolutions that are under test."""
    every = MODELS[model].convolutions
    if layers in ("conv", "all"):
        return every
    if layers.startswith("first:"):
        return every[: int(layers.removeprefix("first:"))]
    return tuple(name for name in every if _named(name, layers))


def check_attention(model: str, layers: str) -> None:
    """Checks that an init of self-attentions alone finds whole ones, and at least one, among the layers under test.

    Raises:
        RequestError: saying which models have any, or how their layers are asked for.
    """
    attentions = MODELS[model].attentions
    if not attentions:
        having = ", ".join(name for name, facts in MODELS.items() if facts.attentions)
        raise RequestError(f"init 'mimetic' starts self-attentions, and {model} has none; choose from {having}")
    if layers in ("all", "attention"):
        return
    named = {attention: [_named(f"{attention}.{part}", layers) for part in _PARTS] for attention in attentions}
    if not any(any(parts) for parts in named.values()):
        raise RequestError(
            f"init 'mimetic' starts self-attentions, and layers '{layers}' names none: ask for attention"
        )
    for attention, parts in named.items():
        if any(parts) and not all(parts):
            raise RequestError(
                f"init 'mimetic' starts q, k, v and output projection of an attention together: ask for {attention}"
            )


def _named(layer: str, layers: str) -> bool:
    """Whether a list of names holds that of a layer, or of what it is in."""
    return any(layer == name or layer.startswith(f"{name}.") for name in layers.split(","))


def _blocks(facts: ModelFacts) -> list[str]:
    """Its layers, and of a transformer the blocks that hold them: few enough for one line."""
    blocks = [attention.rpartition(".")[0] for attention in facts.attentions]
    names = (
        next((block for block in blocks if layer.startswith(f"{block}.")), layer)
        for layer in (*facts.convolutions, *facts.others)
    )
    return list(dict.fromkeys(names))


OPTIMIZERS: tuple[str, ...] = ("sgd", "adamw")
SCHEDULES: tuple[str, ...] = ("constant", "cosine")
AUGMENTATIONS: tuple[str, ...] = ("none", "flip", "crop_flip")
PRECISIONS: tuple[str, ...] = ("auto", "float32", "bfloat16", "float16")

STATUSES: tuple[str, ...] = ("queued", "waiting", "running", "paused", "done", "failed", "cancelled")
ENDED: tuple[str, ...] = ("done", "failed", "cancelled")
