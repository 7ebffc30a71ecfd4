"""Starts the layers under test of a network by one of the methods; every other weight stays as it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from agopconsole.backend.feature_matrix import FeatureMatrix
from agopconsole.backend.layers import Layer, choose_layers, groups_of, matrix_names, patch_shape
from agopconsole.backend.rng import stream
from agopconsole.errors import RequestError, unknown_choice
from agopconsole.methods import METHODS, Method

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
}


def initialize(
    model: nn.Module,
    method: str | Method,
    *,
    features: Mapping[str, FeatureMatrix] | None = None,
    weights: Mapping[str, Tensor] | None = None,
    layers: str = "conv",
    seed: int = 0,
    fallback: str | None = None,
) -> dict[str, str]:
    """Starts the layers under test in place, each from a random stream of its own.

    Under a method with features the filters of a layer are drawn from N(0, S), S the feature matrix scaled to trace 1
    (`unit`) or to gain^2 = 2 (`kaiming`: a mean variance of 2/d a weight, as He et al. 2015 ask in eq. 10). Biases of
    these layers become 0, except under `default` (nothing is touched) and `pretrained` (the source's). Norm layers
    are never touched.

    Args:
        model: the network.
        method: a preset of `methods.METHODS` by name, or a `Method` composed of its parts.
        features: for methods with features, the source's matrices by the keys that `nfm` and `agop` give. The
            length d must match the layer's, the number of filters need not.
        weights: for `pretrained`, the source's tensors by state-dict name.
        layers: `conv`, `all`, `first:N` or module names separated by commas.
        seed: the same seed draws the same weights on every device.
        fallback: the preset of a layer that the source does not fit; without one that is an error.

    Returns:
        How each layer was started, by module name: `method`, or the name of the fallback.

    Raises:
        RequestError: if the source lacks a layer or does not fit it (the message names the layer and both shapes),
            the method needs features or weights that were not given, or a method or layer is unknown.
    """
    choices = _preset(method) if isinstance(method, str) else method
    if choices.recipe == "default":
        return {}
    started = {}
    for name, layer in choose_layers(model, layers).items():
        try:
            _start_layer(name, layer, choices, features, weights, stream(seed, "weights", name))
            started[name] = "method"
        except RequestError:
            if fallback is None:
                raise
            if fallback != "default":
                _start_layer(name, layer, _preset(fallback), None, None, stream(seed, "weights", name))
            started[name] = fallback
    return started


def _preset(name: str) -> Method:
    if name not in METHODS:
        raise unknown_choice("method", name, METHODS)
    return METHODS[name]


def _start_layer(
    name: str,
    layer: Layer,
    method: Method,
    features: Mapping[str, FeatureMatrix] | None,
    weights: Mapping[str, Tensor] | None,
    generator: torch.Generator,
) -> None:
    if method.recipe == "pretrained":
        _copy_source(name, layer, weights)
        return
    # Drawn on the CPU in float32, so that every device and precision starts from the same numbers.
    weight = torch.empty(layer.weight.shape)
    if method.recipe != "features":
        _TORCH_RECIPES[method.recipe](weight, generator)
    else:
        blocks = weight.flatten(1).chunk(groups_of(layer))
        for key, block in zip(matrix_names(name, layer), blocks, strict=True):
            block.copy_(_draw(key, layer, len(block), method, features, generator))
    with torch.no_grad():
        layer.weight.copy_(weight)
        if layer.bias is not None:
            layer.bias.zero_()


def _draw(
    key: str,
    layer: Layer,
    n: int,
    method: Method,
    features: Mapping[str, FeatureMatrix] | None,
    generator: torch.Generator,
) -> Tensor:
    """`n` filters from N(0, S), shape (n, d), scaled as the method asks."""
    d = math.prod(patch_shape(layer))
    trace = GAIN_SQUARED if method.scale == "kaiming" else 1.0
    if method.features == "isotropic":
        return torch.randn(n, d, generator=generator) * math.sqrt(trace / d)
    matrix = _matching_matrix(key, d, method, features)
    if method.scale == "poster":
        return _draw_as_poster(matrix, n, method, generator)
    return _cpu(matrix.scaled(trace=trace)).sample(n, generator=generator)


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


def _copy_source(name: str, layer: Layer, weights: Mapping[str, Tensor] | None) -> None:
    if weights is None:
        raise RequestError("the method 'pretrained' copies the source's weights, and none were given")
    for part, ours in layer.named_parameters(recurse=False):
        theirs = weights.get(f"{name}.{part}")
        if theirs is None:
            raise RequestError(f"layer '{name}': the source has no tensor '{name}.{part}'")
        if theirs.shape != ours.shape:
            raise RequestError(
                f"layer '{name}': its {part} has the shape {tuple(ours.shape)}, the source's {tuple(theirs.shape)}"
            )
        with torch.no_grad():
            ours.copy_(theirs)


def _cpu(matrix: FeatureMatrix) -> FeatureMatrix:
    return FeatureMatrix(matrix.factor.detach().cpu().float(), matrix.patch_shape)
