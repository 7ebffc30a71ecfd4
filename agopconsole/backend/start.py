"""Measures the start of a network, layer by layer, on one batch: what is wrong with it shows before it trains."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear  # an attention's out_proj, and nothing else

from agopconsole.backend.devices import exact_products
from agopconsole.backend.layers import Slot, weight_slots
from agopconsole.backend.patches import mean_patches
from agopconsole.backend.untouched import batch_statistics, differentiable, evaluation
from agopconsole.backend.uses import Use, recorded_uses
from agopconsole.metrics import LayerStart


def measure_start(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[LayerStart, ...]:
    """The start of every weight slot that the forward pass reaches, in forward order.

    Slots are convolutions, linear layers, and q, k and v of attentions (`layers.weight_slots`). One forward and one
    backward pass of the cross-entropy, with dropout off and batch norms on the statistics of the batch, as the first
    step of training finds them; the model is left as it was, gradients too. Of a slot that is used more than once the
    first use is measured, with the gradient of all.

    Args:
        model: the network before training.
        images: one batch, shape (n, 3, h, w), n at least 2.
        labels: their classes, int64, shape (n,).

    Returns:
        One `LayerStart` a slot, which says how each measure is defined.
    """
    slots = weight_slots(model)
    parameters = {name: getattr(slot.module, slot.parameter) for name, slot in slots.items()}
    with (
        evaluation(model),
        exact_products(),
        batch_statistics(model),
        differentiable(parameters.values()),
        torch.enable_grad(),
        recorded_uses(slots.values(), with_inputs=True) as uses,
    ):
        loss = functional.cross_entropy(model(images), labels)
        first: dict[str, Use] = {}
        for use in uses:
            first.setdefault(use.slot, use)
        gradients = torch.autograd.grad(loss, [parameters[name] for name in first], materialize_grads=True)
    return tuple(
        _slot_start(use, gradient[use.part.slot.rows], len(images))
        for use, gradient in zip(first.values(), gradients, strict=True)
    )


def _slot_start(use: Use, gradient: Tensor, images: int) -> LayerStart:
    slot = use.part.slot
    assert use.inputs is not None
    weight = slot.weight.float()
    inputs = use.inputs.float()
    outputs = _by_image(slot, use.part.of(use.output.detach()).float(), images)
    return LayerStart(
        layer=slot.name,
        c_out=len(weight),
        dim=slot.dim,
        weight_variance=float(weight.square().mean()) * slot.dim / 2,
        output_mean_square=float(outputs.square().mean()),
        common_mode=_common_mode(slot, inputs, outputs),
        between_share=float(outputs.var(0, correction=0).mean() / outputs.square().mean()),
        participation_ratio=_participation_ratio(outputs.flatten(1)),
        gradient_ratio=float(gradient.float().norm() / weight.norm()),
    )


def _by_image(slot: Slot, outputs: Tensor, images: int) -> Tensor:
    """The outputs with the images along the first axis.

    torch's attention works token by token and then image by image, whatever it is handed; windowed ones of others on
    (images * windows, tokens, channels).
    """
    if isinstance(slot.module, nn.MultiheadAttention | NonDynamicallyQuantizableLinear):
        return outputs.reshape(-1, images, outputs.shape[-1]).transpose(0, 1)
    if len(outputs) > images and len(outputs) % images == 0:
        return outputs.reshape(images, -1, *outputs.shape[1:])
    return outputs


def _common_mode(slot: Slot, inputs: Tensor, outputs: Tensor) -> float:
    """m^T S m over its value for isotropic filters of equal trace, with S = W^T W and m the mean input patch.

    W m is the mean output less the bias, so no patch is unfolded but those of the mean image.
    """
    weight = slot.weight.float()
    projected = outputs.mean((0, 2, 3)) if slot.is_convolution else outputs.flatten(0, -2).mean(0)
    mean_patch = mean_patches(slot.module, inputs)
    if slot.bias is not None:
        projected = projected - slot.bias.float()
    traces = weight.flatten(1).reshape(slot.groups, -1).square().sum(1)
    isotropic = (traces * mean_patch.square().sum(1)).sum() / mean_patch.shape[1]
    return float(projected.square().sum() / isotropic)


def _participation_ratio(rows: Tensor) -> float:
    """(sum l)^2 / sum l^2 for the eigenvalues l of the rows' covariance: how many directions tell them apart."""
    centred = rows - rows.mean(0)
    gram = centred @ centred.T
    scale = gram.diagonal().max().clamp_min(torch.finfo(gram.dtype).tiny)  # keeps the squares within float32
    gram = gram / scale
    return float(gram.diagonal().sum() ** 2 / gram.square().sum())
