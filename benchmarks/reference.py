"""The AGOP the way the method's first code takes it: for each layer apart, a Jacobian over every unfolded patch.

For each image the patches of the layer's input are unfolded, the rest of the network is written as a function of
them, `vmap` of `jacrev` gives gradients (outputs, positions, d), and their outer product is summed.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import jacrev, vmap
from torch.nn import functional


def patch_jacobian_agop(vgg: nn.Module, layer: str, images: Tensor) -> Tensor:
    """The (d, d) AGOP of a convolution `features.N` of a VGG in eval mode."""
    index = int(layer.rpartition(".")[2])
    before, conv, after = vgg.features[:index], vgg.features[index], vgg.features[index + 1 :]
    weight = conv.weight.detach().flatten(1)
    total = images.new_zeros(weight.shape[1], weight.shape[1])
    for image in images:
        with torch.no_grad():
            inputs = before(image[None])
            patches = functional.unfold(inputs, conv.kernel_size, padding=conv.padding).mT  # (1, positions, d)
            jacobian = vmap(jacrev(_rest(vgg, conv, weight, after, inputs.shape[2:])))(patches)[0]
            rows = jacobian.flatten(0, 1)
            total += rows.mT @ rows / patches.shape[1]
    return total / len(images)


def _rest(
    vgg: nn.Module, conv: nn.Conv2d, weight: Tensor, after: nn.Module, size: torch.Size
) -> Callable[[Tensor], Tensor]:
    def outputs(patches: Tensor) -> Tensor:
        z = (patches @ weight.mT + conv.bias).mT.reshape(1, conv.out_channels, *size)
        out: Tensor = vgg.classifier(vgg.avgpool(after(z)).flatten(1))[0]
        return out

    return outputs
