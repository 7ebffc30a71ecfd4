"""Feature maps of a photo: what the NFM and the AGOP of each convolution of a source see in it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import cast

import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms.v2 import functional as transforms

from agopconsole.backend import data, devices
from agopconsole.backend.extract import nfm
from agopconsole.backend.feature_matrix import FeatureMatrix
from agopconsole.backend.layers import choose_slots
from agopconsole.backend.places import Places
from agopconsole.backend.source_features import source_features
from agopconsole.backend.sources import load_source
from agopconsole.backend.target import load_target
from agopconsole.backend.untouched import evaluation
from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec

EIGENVECTORS = 9
"""Eigenvectors of the first layer that are shown of each matrix."""


@dataclass(frozen=True, slots=True)
class LayerMaps:
    """What the matrices of one convolution see in its input: shape (h, w), values from 0 to 1."""

    layer: str
    nfm: Tensor
    agop: Tensor


@dataclass(frozen=True, slots=True)
class PhotoMaps:
    """A photo and what the layers of a network see in it.

    Attributes:
        photo: as it was fed, before it was standardised, shape (3, h, w), values from 0 to 1.
        layers: the maps of each layer under test, from the first to the last.
        eigenvectors: of the first layer's `nfm` and `agop`, shape (k, 3, k_h, k_w).
    """

    photo: Tensor
    layers: tuple[LayerMaps, ...]
    eigenvectors: dict[str, Tensor]


def source_maps(
    spec: RunSpec, places: Places, photo: Image.Image, *, size: int, report: data.Report = data.silent
) -> PhotoMaps:
    """The maps of a photo at the convolutions of a source.

    At a layer with input patches u the map is ||M u||_2, scaled from its least value to its largest, with M the NFM
    or the square root of the AGOP (Radhakrishnan et al. 2024).

    Args:
        spec: names source, data set, layers, images and outputs of the AGOP; its method needs the AGOP of a source.
        places: where its files are.
        photo: in RGB.
        size: its shorter side becomes that many pixels.
        report: takes lines of progress.

    Raises:
        RequestError: if source, data set and layers do not fit, or none of the layers is a convolution.
        WorkError: if data or weights cannot be had.
    """
    device = devices.pick(spec.device)
    source = load_source(spec, places.source, places.data, mirror=places.mirror, report=report)
    network = source.network(with_head=True).to(device)
    slots = choose_slots(network, spec.layers)
    names = [name for name, slot in slots.items() if slot.is_convolution]
    if not names:
        raise RequestError(f"layers '{spec.layers}': a feature map needs a convolution, and none of them is one")
    _, _, target = load_target(spec, places, report)
    gradients, _ = source_features(
        spec, source, target, layers=slots, device=device, folder=places.features, report=report
    )
    weights = nfm(network)
    # Of a power p they are S^p; the maps are of the square root whatever was asked for.
    sought = ((weights, 1.0), (gradients, 0.5 / spec.agop_power))
    shown = transforms.to_dtype(transforms.pil_to_tensor(photo), torch.float32, scale=True)
    shown = transforms.resize(shown, [size], antialias=True)
    fed = transforms.normalize(shown, target.mean.tolist(), target.std.tolist())[None].to(device)
    inputs = layer_inputs(network, fed, names)
    return PhotoMaps(
        photo=shown,
        layers=tuple(
            LayerMaps(name, *(convolution_map(network, name, inputs[name], found, power) for found, power in sought))
            for name in names
        ),
        eigenvectors=_eigenvectors(slots[names[0]].keys[0], weights, gradients),
    )


def layer_inputs(network: nn.Module, images: Tensor, names: Collection[str]) -> dict[str, Tensor]:
    """What reaches the named layers of a network in eval mode when `images` are fed to it.

    Args:
        network: left exactly as it was.
        images: shape (n, channels, h, w), on the network's device.
        names: of modules that take one tensor.

    Raises:
        ValueError: if one of the layers is not reached.
    """
    inputs: dict[str, Tensor] = {}

    def keeper(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def keep(layer: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
            del layer, output
            inputs[name] = given[0].clone()  # a ReLU in place may be the next to see it

        return keep

    with torch.no_grad(), evaluation(network), contextlib.ExitStack() as hooks:
        for name in names:
            hooks.callback(network.get_submodule(name).register_forward_hook(keeper(name)).remove)
        network(images)
    if missing := [name for name in names if name not in inputs]:
        raise ValueError(f"layer '{missing[0]}' is not reached")
    return inputs


def convolution_map(
    network: nn.Module, name: str, inputs: Tensor, matrices: Mapping[str, FeatureMatrix], power: float = 1.0
) -> Tensor:
    """The map of the first of `inputs` at a convolution, by a power of its matrices; of groups, their mean.

    Returns:
        Shape (h_out, w_out), on the CPU.
    """
    layer = cast(nn.Conv2d, network.get_submodule(name))
    keys = [name] if layer.groups == 1 else [f"{name}[{group}]" for group in range(layer.groups)]
    maps = [
        matrices[key].feature_map(
            channels,
            power=power,
            stride=cast("tuple[int, int]", layer.stride),
            padding=cast("tuple[int, int] | str", layer.padding),
            dilation=cast("tuple[int, int]", layer.dilation),
        )[0]
        for key, channels in zip(keys, inputs[:1].chunk(layer.groups, 1), strict=True)
    ]
    return torch.stack(maps).mean(0).cpu()


def _eigenvectors(
    key: str, weights: Mapping[str, FeatureMatrix], gradients: Mapping[str, FeatureMatrix]
) -> dict[str, Tensor]:
    """Those of a layer that sees colours; none of one that sees channels of another layer."""
    if weights[key].patch_shape[0] != 3:
        return {}
    return {kind: found[key].eigenvectors(EIGENVECTORS) for kind, found in (("nfm", weights), ("agop", gradients))}
