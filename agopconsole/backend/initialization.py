"""Starts the layers under test of a network by one of the methods; every other weight stays as it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from agopconsole.backend.bases import aligned, centred, rotated, without_direction
from agopconsole.backend.counterparts import matrices_by_own_names, tensors_by_own_names
from agopconsole.backend.feature_matrix import FeatureMatrix
from agopconsole.backend.layers import Slot, choose_slots, weight_slots
from agopconsole.backend.mimetic import start_attentions
from agopconsole.backend.on_images import Below, start_on_images
from agopconsole.backend.rng import stream
from agopconsole.errors import RequestError, unknown_choice
from agopconsole.methods import CENTRED, METHODS, Method

GAIN_SQUARED = 2.0
"""Kaiming's gain^2 for ReLU, which halves the mean square of what passes through it (He et al. 2015, eq. 10)."""

_POSTER_AGOP_DIVISOR = 100.0
_POSTER_SHIFT = 1e-6

_TORCH_RECIPES: dict[str, Callable[[Tensor, torch.Generator], object]] = {
    "normal": lambda w, g: nn.init.normal_(w, std=0.05, generator=g),
    "uniform": lambda w, g: nn.init.uniform_(w, -0.025, 0.025, generator=g),
    "xavier_normal": lambda w, g: nn.init.xavier_normal_(w, gain=math.sqrt(2), generator=g),
    "xavier_uniform": lambda w, g: nn.init.xavier_uniform_(w, gain=math.sqrt(2), generator=g),
    "kaiming_uniform": lambda w, g: nn.init.kaiming_uniform_(w, nonlinearity="relu", generator=g),
    "orthogonal": lambda w, g: nn.init.orthogonal_(w, gain=math.sqrt(2), generator=g),
    "delta_orthogonal": lambda w, g: delta_orthogonal_(w, gain=math.sqrt(2), generator=g),
}


def nfm_(
    tensor: Tensor, feature: FeatureMatrix, *, trace: float = GAIN_SQUARED, generator: torch.Generator | None = None
) -> Tensor:
    """Fills a weight with filters drawn from N(0, S), S the feature matrix scaled to `trace`.

    Args:
        tensor: shape (c_out, ...), d entries a filter; changed in place.
        feature: the NFM (or AGOP: `agop_` is this function), d x d.
        trace: of S: gain^2 = 2 for ReLU, that is a mean variance of 2/d (He et al. 2015, eq. 10).
        generator: on the CPU.

    Raises:
        ValueError: if the filters do not have the matrix's d entries, or the matrix is zero.
    """
    d = tensor[0].numel()
    if d != feature.dim:
        raise ValueError(f"filters of {d} entries cannot be drawn from a matrix of {feature.dim} dimensions")
    draws = _cpu(feature.scaled(trace=trace)).sample(len(tensor), generator=generator)
    with torch.no_grad():
        return tensor.copy_(draws.reshape(tensor.shape))


agop_ = nfm_


def delta_orthogonal_(tensor: Tensor, gain: float = 1.0, generator: torch.Generator | None = None) -> Tensor:
    """Fills a convolution's weight with zeros but for its middle tap, which is orthogonal (Xiao et al. 2018, sec. 4).

    A linear layer's weight has one tap, and becomes orthogonal.

    Args:
        tensor: shape (c_out, c_in, k_h, k_w) or (c_out, c_in); changed in place.
        gain: factor of the orthogonal matrix.
        generator: on the CPU.
    """
    tap = torch.empty(tensor.shape[:2])
    nn.init.orthogonal_(tap, gain=gain, generator=generator)
    with torch.no_grad():
        tensor.zero_()
        taps = tensor.flatten(2) if tensor.ndim > 2 else tensor[..., None]
        taps[..., taps.shape[2] // 2] = tap.to(tensor)  # of an odd kernel's taps in a row the middle one
    return tensor


def initialize(
    model: nn.Module,
    method: str | Method,
    *,
    features: Mapping[str, FeatureMatrix] | None = None,
    weights: Mapping[str, Tensor] | None = None,
    images: Tensor | None = None,
    source: nn.Module | None = None,
    counterparts: Mapping[str, str] | None = None,
    layers: str = "conv",
    seed: int = 0,
    fallback: str | None = None,
) -> dict[str, str]:
    """Starts the layers under test in place, each from a random stream of its own.

    Under a method with features the filters of a layer are drawn from N(0, S), S the feature matrix scaled to trace 1
    (`unit`) or to gain^2 = 2 (`kaiming`: a mean variance of 2/d a weight, as He et al. 2015 ask in eq. 10). Biases of
    these layers become 0, except under `default` (nothing is touched), `pretrained` (the source's) and the scale
    `lsuv`. Norm layers are never touched. The scale `lsuv` and the bases `centred`, `centred_rotated` and `aligned`
    build the network layer by layer on a batch of images; no other choice asks for any. `mimetic` starts q, k, v and
    the output projections of the attentions under test, and leaves other layers as they are.

    Args:
        model: the network.
        method: a preset of `methods.METHODS` by name, or a `Method` composed of its parts.
        features: for methods with features, the source's matrices by the keys that `nfm` and `agop` give. The
            length d must match the layer's, the number of filters need not.
        weights: for `pretrained`, the source's tensors by state-dict name.
        images: for `lsuv`, `centred`, `centred_rotated` and `aligned`, a batch of unlabelled images as the network is
            fed, shape (n, 3, h, w), on its device.
        source: for `aligned`, the network that the features are of.
        counterparts: for features and weights of another network, the names of its layers that stand for those of
            `model`, as `match_layers` gives them; without it they are those of the same names.
        layers: `conv`, `all`, `first:N` or names separated by commas; an attention has the layers q, k and v.
        seed: the same seed draws the same weights on every device.
        fallback: the preset of a layer that the source does not fit; without one that is an error.

    Returns:
        How each layer was started, by module name: `method`, or the name of the fallback.

    Raises:
        RequestError: if the source lacks a layer or does not fit it (the message names the layer and both shapes),
            the method needs something that was not given, or a method or layer is unknown.
    """
    choices = _preset(method) if isinstance(method, str) else method
    if choices.recipe == "default":
        return {}
    slots = choose_slots(model, layers)
    if choices.recipe == "mimetic":
        return dict.fromkeys(start_attentions(weight_slots(model), slots, seed), "method")
    if counterparts is not None:
        features = matrices_by_own_names(slots, counterparts, features) if features is not None else None
        weights = tensors_by_own_names(slots, counterparts, weights) if weights is not None else None
    started: dict[str, str] = {}

    def write(slot: Slot, below: Below | None = None) -> None:
        try:
            _start(slot, choices, features, weights, stream(seed, "weights", slot.name), below)
            started[slot.name] = "method"
        except RequestError:
            if fallback is None:
                raise
            if fallback != "default":
                _start(slot, _preset(fallback), None, None, stream(seed, "weights", slot.name), below)
            started[slot.name] = fallback

    if choices.needs_images:
        start_on_images(model, slots, choices, _given(images, choices, source), write, source, counterparts)
    else:
        for slot in slots.values():
            write(slot)
    return started


def _given(images: Tensor | None, method: Method, source: nn.Module | None) -> Tensor:
    """The images, if what the method looks at is there."""
    if images is None:
        raise RequestError(
            "the scale lsuv and the bases centred, centred_rotated and aligned are built on images, and none were "
            "given"
        )
    if method.basis == "aligned" and source is None:
        raise RequestError("the basis aligned compares two networks, and no source network was given")
    return images


def _preset(name: str) -> Method:
    if name not in METHODS:
        raise unknown_choice("method", name, METHODS)
    return METHODS[name]


def _start(
    slot: Slot,
    method: Method,
    features: Mapping[str, FeatureMatrix] | None,
    weights: Mapping[str, Tensor] | None,
    generator: torch.Generator,
    below: Below | None,
) -> None:
    if method.recipe == "pretrained":
        _copy_source(slot, weights)
        return
    # Drawn on the CPU in float32, so that every device and precision starts from the same numbers.
    weight = torch.empty(slot.weight.shape)
    if method.recipe != "features":
        _TORCH_RECIPES[method.recipe](weight, generator)
    else:
        blocks = weight.flatten(1).chunk(slot.groups)
        for group, (key, block) in enumerate(zip(slot.keys, blocks, strict=True)):
            if method.features == "isotropic":
                block.copy_(_isotropic(block, method, generator, below.mean_patches[group] if below else None))
            else:
                matrix = _matching_matrix(key, slot.dim, method, features)
                block.copy_(_draw(_in_basis(key, matrix, method, generator, below, group), block, method, generator))
    slot.write(weight)


def _isotropic(block: Tensor, method: Method, generator: torch.Generator, mean_patch: Tensor | None) -> Tensor:
    """As many filters as the block has, from N(0, c I), or less the mean patch N(0, c P), of the method's trace."""
    draws = torch.randn(block.shape, generator=generator)
    d = block.shape[1]
    if method.basis in CENTRED and mean_patch is not None and mean_patch.any():
        draws, d = without_direction(draws, mean_patch.cpu()), d - 1
    return draws * math.sqrt(_trace(method) / d)


def _trace(method: Method) -> float:
    return 1.0 if method.scale == "unit" else GAIN_SQUARED


def _in_basis(
    key: str,
    matrix: FeatureMatrix,
    method: Method,
    generator: torch.Generator,
    below: Below | None,
    group: int,
) -> FeatureMatrix:
    if method.basis == "rotated":
        return rotated(matrix, generator)
    if below is None or method.basis not in (*CENTRED, "aligned"):
        return matrix
    if method.basis in CENTRED:
        mean_patch = below.mean_patches[group].to(matrix.factor.device)
        left = centred(matrix, mean_patch)
        return left if method.basis == "centred" else rotated(left, generator, mean_patch)
    if not below.turns:
        raise RequestError(f"layer '{key}': the source has no layer of that name to align it with")
    return aligned(matrix, below.turns[group])


def _draw(matrix: FeatureMatrix, block: Tensor, method: Method, generator: torch.Generator) -> Tensor:
    """As many filters as the block has, from N(0, S), scaled as the method asks."""
    if method.scale == "poster":
        return _draw_as_poster(matrix, len(block), method, generator)
    return _cpu(matrix.scaled(trace=_trace(method))).sample(len(block), generator=generator)


def _draw_as_poster(matrix: FeatureMatrix, n: int, method: Method, generator: torch.Generator) -> Tensor:
    """The source study's code to the letter.

    The covariance is sqrt(2)/sqrt(d) S, S/100 for the AGOP, unnormalised, with |lambda_min| + 1e-6 on the diagonal.
    """
    d = matrix.dim
    factor = math.sqrt(2) / math.sqrt(d) / (_POSTER_AGOP_DIVISOR if method.features == "agop" else 1.0)
    covariance = _cpu(matrix.scaled(trace=factor * matrix.trace()))
    smallest = float(covariance.eigenvalues()[-1]) if covariance.rank == d else 0.0
    shift = math.sqrt(smallest + _POSTER_SHIFT)
    return covariance.sample(n, generator=generator) + shift * torch.randn(n, d, generator=generator)


def _matching_matrix(key: str, d: int, method: Method, features: Mapping[str, FeatureMatrix] | None) -> FeatureMatrix:
    if features is None:
        raise RequestError(f"the method draws from {method.features.upper()} features, and none were given")
    if key not in features:
        raise RequestError(f"layer '{key}': the source has no {method.features.upper()} of that name")
    matrix = features[key]
    if matrix.dim != d:
        raise RequestError(
            f"layer '{key}': its patches have {d} entries, the source's {matrix.dim} {matrix.patch_shape}; "
            "a fallback would start it otherwise"
        )
    if matrix.trace() == 0:
        raise RequestError(f"layer '{key}': the source's {method.features.upper()} is zero")
    return matrix


def _copy_source(slot: Slot, weights: Mapping[str, Tensor] | None) -> None:
    if weights is None:
        raise RequestError("the method 'pretrained' copies the source's weights, and none were given")
    weight = _source_rows(slot, slot.weight_name, slot.weight, slot.rows, weights)
    bias = None if slot.bias is None else _source_rows(slot, slot.bias_name, slot.bias, slot.bias_rows, weights)
    slot.write(weight, 0.0 if bias is None else bias)


def _source_rows(slot: Slot, name: str, ours: Tensor, rows: slice, weights: Mapping[str, Tensor]) -> Tensor:
    if name not in weights:
        raise RequestError(f"layer '{slot.name}': the source has no tensor '{name}'")
    theirs = weights[name][rows]
    if theirs.shape != ours.shape:
        part = name.rpartition(".")[2]
        raise RequestError(
            f"layer '{slot.name}': its {part} has the shape {tuple(ours.shape)}, the source's {tuple(theirs.shape)}"
        )
    return theirs


def _cpu(matrix: FeatureMatrix) -> FeatureMatrix:
    return FeatureMatrix(matrix.factor.detach().cpu().float(), matrix.patch_shape)
