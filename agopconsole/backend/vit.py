"""The vision transformers: torchvision's network, with a start of what torchvision leaves at 0 or to chance.

torchvision starts the head at 0, so that no gradient reaches a layer below it and every AGOP of a network at its
start is 0. Here the head starts from N(0, 1/d), as those of the other networks do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torchvision.models import VisionTransformer, vit_b_32

HEAD = "heads.head.weight"
_POSITIONS = "encoder.pos_embedding"
_EMBEDDING = "conv_proj.weight"


def build_vit(name: str, *, classes: int, image_size: int) -> VisionTransformer:
    """A vision transformer of the catalogue, drawn from torch's global stream.

    `vit_tiny` is small enough for a CPU: patches of 4 x 4 px, 4 blocks, 3 heads of 32, an MLP of 192, 0.3 million
    weights (DeiT-Ti, Touvron et al. 2021, has 12 blocks and 5.7 million). Its position embeddings start from sines,
    under every method, and are learnt: the recipe of Trockman & Kolter 2023 for mimetic starts and their baselines
    alike. `vit_b_32` is torchvision's but for its head.

    Args:
        name: `vit_tiny` or `vit_b_32`.
        classes: number of outputs.
        image_size: side of the images, a multiple of the patches' 4 or 32 px; the network takes no other size.

    Returns:
        A network that maps images (n, 3, image_size, image_size) to logits (n, classes).
    """
    if name == "vit_b_32":
        model: VisionTransformer = vit_b_32(weights=None, num_classes=classes, image_size=image_size)
    else:
        model = VisionTransformer(
            image_size, patch_size=4, num_layers=4, num_heads=3, hidden_dim=96, mlp_dim=192, num_classes=classes
        )
        with torch.no_grad():  # the class token has no place, and keeps torchvision's N(0, 0.02^2)
            model.encoder.pos_embedding[0, 1:] = sine_positions(image_size // 4, 96)
    nn.init.normal_(model.heads.head.weight, std=1 / math.sqrt(model.hidden_dim))
    return model


def sine_positions(side: int, width: int) -> Tensor:
    """Sines and cosines of a patch's row, and then of its column (Vaswani et al. 2017, sec. 3.5, for each axis).

    Args:
        side: patches along an edge.
        width: of the embedding, a multiple of 4.

    Returns:
        Shape (side^2, width), row by row of the image; entries between -1 and 1, mean square 1/2.
    """
    frequencies = 10_000.0 ** -(torch.arange(width // 4) / (width // 4))
    angles = torch.arange(side)[:, None] * frequencies
    axis = torch.cat([angles.sin(), angles.cos()], dim=1)
    rows, columns = axis[:, None].expand(side, side, -1), axis[None].expand(side, side, -1)
    return torch.cat([rows, columns], dim=2).flatten(0, 1)


def trained_size(weights: Mapping[str, Tensor]) -> int | None:
    """Side of the images, in pixels, that the weights of a vision transformer are for; None if they are of none."""
    if _POSITIONS not in weights or _EMBEDDING not in weights:
        return None
    patches: int = weights[_POSITIONS].shape[1] - 1
    return math.isqrt(patches) * int(weights[_EMBEDDING].shape[-1])
