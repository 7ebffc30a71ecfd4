"""Measures the start of a network, layer by layer, on one batch: what is wrong with it shows before it trains."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from agopconsole.backend.layers import Layer, feature_layers, groups_of
from agopconsole.backend.untouched import differentiable, evaluation, hooked
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
        _batch_statistics(model),
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


@contextlib.contextmanager
def _batch_statistics(model: nn.Module) -> Iterator[None]:
    """Lets batch norms use the statistics of the batch without taking note of them."""
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
    for norm in norms:
        norm.training, norm.track_running_stats = True, False
    try:
        yield
    finally:
        for norm in norms:
            norm.training, norm.track_running_stats = False, True


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
    if isinstance(layer, nn.Conv2d):
        projected = outputs.mean((0, 2, 3))
        mean_patch = torch.stack([_mean_patch(part, layer) for part in inputs.mean(0).chunk(groups)])
    else:
        projected = outputs.flatten(0, -2).mean(0)
        mean_patch = inputs.flatten(0, -2).mean(0)[None]
    if layer.bias is not None:
        projected = projected - layer.bias.detach().float()
    traces = weight.flatten(1).reshape(groups, -1).square().sum(1)
    isotropic = (traces * mean_patch.square().sum(1)).sum() / mean_patch.shape[1]
    return float(projected.square().sum() / isotropic)


def _mean_patch(image: Tensor, conv: nn.Conv2d) -> Tensor:
    """The mean over positions of the patches of one image (c, h, w), shape (c * k_h * k_w,): a mean a kernel tap."""
    padded = functional.pad(image, _padding(conv))
    (k_h, k_w), (s_h, s_w), (d_h, d_w) = conv.kernel_size, conv.stride, conv.dilation
    rows = (padded.shape[1] - d_h * (k_h - 1) - 1) // s_h + 1
    columns = (padded.shape[2] - d_w * (k_w - 1) - 1) // s_w + 1
    taps = [
        padded[:, i * d_h :: s_h, j * d_w :: s_w][:, :rows, :columns].mean((1, 2))
        for i in range(k_h)
        for j in range(k_w)
    ]
    return torch.stack(taps, dim=1).flatten()


def _padding(conv: nn.Conv2d) -> tuple[int, int, int, int]:
    """Zeros to the left, right, above and below, as `functional.pad` takes them."""
    if not isinstance(conv.padding, str):
        p_h, p_w = conv.padding
        return p_w, p_w, p_h, p_h
    if conv.padding == "valid":
        return 0, 0, 0, 0
    h, w = (d * (k - 1) for d, k in zip(conv.dilation, conv.kernel_size, strict=True))
    return w // 2, w - w // 2, h // 2, h - h // 2


def _participation_ratio(rows: Tensor) -> float:
    """(sum l)^2 / sum l^2 for the eigenvalues l of the rows' covariance: how many directions tell them apart."""
    centred = rows - rows.mean(0)
    gram = centred @ centred.T
    scale = gram.diagonal().max().clamp_min(torch.finfo(gram.dtype).tiny)  # keeps the squares within float32
    gram = gram / scale
    return float(gram.diagonal().sum() ** 2 / gram.square().sum())
