"""The AGOP by its definition: a Jacobian over every input patch, unfolded. Slow, and independent of the engine."""

import torch
from torch import Tensor, nn
from torch.func import jacrev
from torch.nn import functional


def patches_of(layer: nn.Module, inputs: Tensor) -> Tensor:
    """The input patches of one image, shape (groups, d, positions)."""
    if isinstance(layer, nn.Linear):
        return inputs.reshape(1, -1, inputs.shape[-1]).mT
    unfolded = functional.unfold(inputs, layer.kernel_size, layer.dilation, layer.padding, layer.stride)
    return unfolded.reshape(layer.groups, -1, unfolded.shape[-1])


def apply_to_patches(layer: nn.Module, patches: Tensor, shape: torch.Size) -> Tensor:
    """The layer's output, of the given shape, computed from its unfolded patches."""
    groups = len(patches)
    weight = layer.weight.flatten(1).reshape(groups, -1, patches.shape[1])
    outputs = torch.einsum("gcd,gds->gcs", weight, patches).flatten(0, 1)
    outputs = outputs + (layer.bias[:, None] if layer.bias is not None else 0)
    return outputs.T.reshape(shape) if isinstance(layer, nn.Linear) else outputs.reshape(shape)


def brute_force_agop(model: nn.Module, name: str, images: Tensor) -> Tensor:
    """The AGOP of the groups of one layer, shape (groups, d, d): mean over images and positions, sum over outputs."""
    layer = model.get_submodule(name)
    total: Tensor | float = 0.0
    for image in images:
        seen: list[tuple[Tensor, torch.Size]] = []

        def record(module, inputs, output, seen=seen):
            seen.append((inputs[0].detach().clone(), output.shape))

        handle = layer.register_forward_hook(record)
        model(image[None])
        handle.remove()
        ((inputs, shape),) = seen

        def outputs_given(patches, image=image, shape=shape):
            def replace(module, inputs, output):
                return apply_to_patches(layer, patches, shape)

            handle = layer.register_forward_hook(replace)
            try:
                return model(image[None])[0]
            finally:
                handle.remove()

        jacobian = jacrev(outputs_given)(patches_of(layer, inputs))  # (outputs, groups, d, positions)
        total = total + torch.einsum("kgds,kges->gde", jacobian, jacobian) / jacobian.shape[-1]
    return total / len(images)
