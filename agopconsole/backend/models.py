"""The networks: torchvision's, with a head that is sized to the data set and the image size."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torchvision
from torch import Tensor, nn

from agopconsole.backend import vit
from agopconsole.backend.rng import stream_seed

COMPACT_BELOW = 128
"""Smaller images leave VGG maps too small for torchvision's head of 120 million weights over 7 x 7 x 512."""

_VGG_LAYOUTS = {"vgg11": "A", "vgg11_bn": "A", "vgg13": "B", "vgg16": "D", "vgg19": "E"}
_COMPACT_WIDTH = 512


class CompactVGG(nn.Module):
    """VGG's convolutions, exactly torchvision's, under a three-layer head of 512 units for small images.

    The modules carry torchvision's names, so that weights of its convolutions fit.
    """

    def __init__(self, layout: str, *, batch_norm: bool, classes: int, dropout: float = 0.5) -> None:
        super().__init__()
        vgg = torchvision.models.vgg
        self.features = vgg.make_layers(vgg.cfgs[layout], batch_norm=batch_norm)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(512, _COMPACT_WIDTH),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(_COMPACT_WIDTH, _COMPACT_WIDTH),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(_COMPACT_WIDTH, classes),
        )
        for module in self.features.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        # torchvision's N(0, 0.01^2) is made for 4096 units; at 512 it would shrink the signal 250-fold.
        linears = [module for module in self.classifier if isinstance(module, nn.Linear)]
        for layer in linears[:-1]:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.normal_(linears[-1].weight, std=1 / math.sqrt(_COMPACT_WIDTH))
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of shape (n, classes) for images of shape (n, 3, h, w)."""
        out: Tensor = self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))
        return out


def build_model(name: str, *, classes: int, image_size: int, seed: int = 0) -> nn.Module:
    """A network of the catalogue as its constructor starts it, drawn from a stream of its own.

    Two runs of one seed get the same classifier, whatever the layers under test are started from later.

    Args:
        name: one of `catalogue.MODELS`.
        classes: number of outputs.
        image_size: side of the images; below 128 px a VGG gets the compact head. A vision transformer takes no other
            size than the one that it is built for.
        seed: of the run.

    Returns:
        A network that maps images (n, 3, h, w) to logits (n, classes), on the CPU, in train mode.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, "constructor"))
        if name in _VGG_LAYOUTS and image_size < COMPACT_BELOW:
            return CompactVGG(_VGG_LAYOUTS[name], batch_norm=name.endswith("_bn"), classes=classes)
        model: nn.Module
        if name.startswith("vit"):
            model = vit.build_vit(name, classes=classes, image_size=image_size)
        else:
            model = torchvision.models.get_model(name, weights=None, num_classes=classes)
        return model


def head_name(name: str) -> str:
    """The state-dict name of the last layer's weight, one row an output."""
    if name.startswith("vit"):
        return vit.HEAD
    return "fc.weight" if name.startswith("resnet") else "classifier.6.weight"


def build_for_weights(name: str, weights: Mapping[str, Tensor]) -> nn.Module | None:
    """The network of that name whose head has the shape of the head in `weights`, or None if they hold no head."""
    last = head_name(name)
    if last not in weights:
        return None
    first = weights.get("classifier.0.weight")
    compact = first is not None and first.shape == (_COMPACT_WIDTH, 512)
    size = vit.trained_size(weights) or (32 if compact else 224)
    return build_model(name, classes=len(weights[last]), image_size=size)
