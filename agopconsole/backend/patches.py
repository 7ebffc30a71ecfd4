"""The mean input patch of a layer: what all images and places have in common, without unfolding any of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def mean_patches(layer: nn.Module, inputs: Tensor) -> Tensor:
    """The mean over images and positions of the layer's input patches, a row a group.

    Args:
        layer: a convolution, or a module that applies its weight to vectors.
        inputs: what its weight is applied to, shape (n, c_in, h, w), or (..., d).

    Returns:
        Shape (groups, d), d = c_in / groups * k_h * k_w.
    """
    if isinstance(layer, nn.Conv2d):
        return torch.stack([_mean_patch(part, layer) for part in inputs.mean(0).chunk(layer.groups)])
    return inputs.flatten(0, -2).mean(0)[None]


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
    """Padding to the left, right, above and below, as `functional.pad` takes them."""
    if not isinstance(conv.padding, str):
        p_h, p_w = conv.padding
        return p_w, p_w, p_h, p_h
    if conv.padding == "valid":
        return 0, 0, 0, 0
    h, w = (d * (k - 1) for d, k in zip(conv.dilation, conv.kernel_size, strict=True))
    return w // 2, w - w // 2, h // 2, h - h // 2
