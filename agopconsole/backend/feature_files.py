"""Feature matrices on disk: their factors as safetensors, with what they were computed from as metadata."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agopconsole.backend.checkpoint import load_weights, save_weights
from agopconsole.backend.feature_matrix import FeatureMatrix
from agopconsole.errors import RequestError


def save_features(path: Path, matrices: Mapping[str, FeatureMatrix], metadata: Mapping[str, Any]) -> None:
    """Writes the factors of matrices by key, whole or not at all."""
    shapes = {key: list(matrix.patch_shape) for key, matrix in matrices.items()}
    errors = {key: matrix.relative_error for key, matrix in matrices.items()}
    facts = {**metadata, "patch_shapes": shapes, "relative_errors": errors}
    save_weights(path, {key: matrix.factor for key, matrix in matrices.items()}, facts)


def load_features(path: Path) -> dict[str, FeatureMatrix]:
    """The matrices that `save_features` wrote.

    Raises:
        RequestError: if the file is missing, damaged, or holds something else.
    """
    loaded = load_weights(path)
    shapes, errors = loaded.fact("patch_shapes"), loaded.fact("relative_errors")
    if not isinstance(shapes, dict) or not isinstance(errors, dict):
        raise RequestError(f"'{path}' holds no feature matrices")
    try:
        return {key: FeatureMatrix(factor, tuple(shapes[key]), errors[key]) for key, factor in loaded.tensors.items()}
    except (KeyError, ValueError) as error:
        raise RequestError(f"'{path}' holds no feature matrices: {error}") from None
