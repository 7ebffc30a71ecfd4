"""Measures the start of a network, layer by layer, on one batch: what is wrong with it shows before it trains."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from agopconsole.backend.layers import Layer, feature_layers, groups_of
from agopconsole.backend.patches import mean_patches
from agopconsole.backend.untouched import batch_statistics, differentiable, evaluation, hooked
from agopconsole.metrics import LayerStart


def measure_start(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[LayerStart, ...]:
    """The start of every Conv2d and Linear that the forward pass reaches, in forward order.

    One forward and one backward pass of the cross-entropy, with dropout off and batch norms on the statistics of the
    batch, as the first step of training finds them; the model is left as it was, gradients too.

    Args:
        model: the network before training.
        images: one batch, shape (n, 3, h, w), n at least 2.
        labels: their classes, int64, shape (n,).

    Returns:
        One `LayerStart` a layer, which says how each measure is defined.
    """
    seen: dict[str, tuple[Tensor, Tensor]] = {}
    layers = feature_layers(model)

    def recorder(name: str) -> Callable[[nn.Module, tuple[Tensor], Tensor], None]:
        def record(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
            del module
            # Copies: an in-place ReLU behind the layer would change what is measured.
            seen.setdefault(name, (inputs[0].detach().clone(), output.detach().clone()))

        return record

    weights = [layer.weight for layer in layers.values()]
    with (
        hooked(layers, recorder),
        evaluation(model),
        batch_statistics(model),
        differentiable(weights),
        torch.enable_grad(),
    ):
        loss = functional.cross_entropy(model(images), labels)
        reached = list(seen)
        gradients = torch.autograd.grad(loss, [layers[name].weight for name in reached], materialize_grads=True)
    return tuple(
        _layer_start(name, layers[name], *seen[name], gradient)
        for name, gradient in zip(reached, gradients, strict=True)
    )


def _layer_start(name: str, layer: Layer, inputs: Tensor, outputs: Tensor, gradient: Tensor) -> LayerStart:
    weight = layer.weight.detach()
    dim = math.prod(weight.shape[1:])
    outputs = outputs.float()
    return LayerStart(
        layer=name,
        c_out=len(weight),
        dim=dim,
        weight_variance=float(weight.float().square().mean()) * dim / 2,
        output_mean_square=float(outputs.square().mean()),
        common_mode=_common_mode(layer, inputs.float(), outputs),
        between_share=float(outputs.var(0, correction=0).mean() / outputs.square().mean()),
        participation_ratio=_participation_ratio(outputs.flatten(1)),
        gradient_ratio=float(gradient.float().norm() / weight.float().norm()),
    )


def _common_mode(layer: Layer, inputs: Tensor, outputs: Tensor) -> float:
    """m^T S m over its value for isotropic filters of equal trace, with S = W^T W and m the mean input patch.

    W m is the mean output less the bias, so no patch is unfolded but those of the mean image.
    """
    weight = layer.weight.detach().float()
    groups = groups_of(layer)
    projected = outputs.mean((0, 2, 3)) if isinstance(layer, nn.Conv2d) else outputs.flatten(0, -2).mean(0)
    mean_patch = mean_patches(layer, inputs)
    if layer.bias is not None:
        projected = projected - layer.bias.detach().float()
    traces = weight.flatten(1).reshape(groups, -1).square().sum(1)
    isotropic = (traces * mean_patch.square().sum(1)).sum() / mean_patch.shape[1]
    return float(projected.square().sum() / isotropic)


def _participation_ratio(rows: Tensor) -> float:
    """(sum l)^2 / sum l^2 for the eigenvalues l of the rows' covariance: how many directions tell them apart."""
    centred = rows - rows.mean(0)
    gram = centred @ centred.T
    scale = gram.diagonal().max().clamp_min(torch.finfo(gram.dtype).tiny)  # keeps the squares within float32
    gram = gram / scale
    return float(gram.diagonal().sum() ** 2 / gram.square().sum())
