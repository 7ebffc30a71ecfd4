"""Feature matrices on disk: their factors as safetensors, with what they were computed from as metadata."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from agopconsole.backend.checkpoint import load_weights, save_weights
from agopconsole.backend.dense_matrices import csv_matrices
from agopconsole.backend.feature_matrix import FeatureMatrix
from agopconsole.backend.layers import choose_slots
from agopconsole.errors import RequestError
from agopconsole.wording import counted


def save_features(
    path: Path, matrices: Mapping[str, FeatureMatrix], metadata: Mapping[str, Any], *, half: bool = False
) -> None:
    """Writes the factors of matrices by key, whole or not at all.

    Args:
        path: of the safetensors file.
        matrices: by key.
        metadata: what they were computed from.
        half: write them in float16, each over its largest entry, in half the bytes; a matrix then has a relative
            error (Frobenius) below 0.001.
    """
    facts: dict[str, Any] = {
        **metadata,
        "patch_shapes": {key: list(matrix.patch_shape) for key, matrix in matrices.items()},
        "relative_errors": {key: matrix.relative_error for key, matrix in matrices.items()},
    }
    factors = {key: matrix.factor for key, matrix in matrices.items()}
    if half:
        facts["scales"] = scales = {key: float(factor.abs().max()) or 1.0 for key, factor in factors.items()}
        factors = {key: (factor / scales[key]).half() for key, factor in factors.items()}
    save_weights(path, factors, facts)


def load_features(path: Path) -> dict[str, FeatureMatrix]:
    """The matrices that `save_features` wrote, or those of a folder of `layer_0.csv`, `layer_1.csv`...

    A factor is positive semi-definite by what it is; a CSV file holds a whole matrix, which is checked.

    Returns:
        Matrices by key; those of a folder by "0", "1"..., for `fitted` to give to the layers of a model.

    Raises:
        RequestError: if the file is missing, damaged, or holds something else.
    """
    if path.is_dir():
        return {str(index): matrix for index, matrix in enumerate(csv_matrices(path))}
    loaded = load_weights(path)
    shapes, errors = loaded.fact("patch_shapes"), loaded.fact("relative_errors")
    if not isinstance(shapes, dict) or not isinstance(errors, dict):
        raise RequestError(f"'{path}' holds no feature matrices")
    scales = loaded.fact("scales")
    try:
        return {
            key: FeatureMatrix(factor * scales[key] if scales else factor, tuple(shapes[key]), errors[key])
            for key, factor in loaded.tensors.items()
        }
    except (KeyError, TypeError, ValueError) as error:
        raise RequestError(f"'{path}' holds no feature matrices: {error}") from None


def fitted(matrices: Mapping[str, FeatureMatrix], model: nn.Module) -> dict[str, FeatureMatrix]:
    """Matrices that are known by their order alone, given to the convolutions of a model in its order.

    Raises:
        RequestError: if there are more matrices than convolutions, or one does not fit; it names both shapes.
    """
    slots = [(key, slot.patch_shape) for slot in choose_slots(model, "conv").values() for key in slot.keys]
    if len(matrices) > len(slots):
        raise RequestError(
            f"there are {len(matrices)} matrices, and the model has {counted(len(slots), 'convolution')}"
        )
    out = {}
    for (key, shape), matrix in zip(slots, matrices.values(), strict=False):
        if math.prod(shape) != matrix.dim:
            raise RequestError(
                f"the matrix for {key} has the shape {(matrix.dim, matrix.dim)}, and the layer's patches {shape} ask "
                f"for {(math.prod(shape), math.prod(shape))}"
            )
        out[key] = replace(matrix, patch_shape=shape)
    return out
