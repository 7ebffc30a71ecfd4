"""Feature matrices that others keep whole: a (d, d) matrix becomes a factor, or is refused where it cannot be one."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from agopconsole.backend.feature_matrix import FeatureMatrix
from agopconsole.errors import RequestError

TOLERANCE = 1e-5
"""How far below 0 an eigenvalue, and how far apart two mirrored entries may be, relative to the largest of them.

A float32 sum of many products leaves about 1e-6; a matrix that is none of the kind is off by far more.
"""

_CSV = re.compile(r"layer_(\d+)\.csv")


def from_dense(matrix: Tensor, patch_shape: tuple[int, ...] = ()) -> FeatureMatrix:
    """The feature matrix that a (d, d) matrix is, its factor of shape (rank, d) in float32.

    Raises:
        ValueError: if the matrix is not square, finite, symmetric and positive semi-definite (to `TOLERANCE`), or
            if the patch shape does not fit it.
    """
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not len(matrix):
        raise ValueError(f"a feature matrix is square, not of the shape {tuple(matrix.shape)}")
    if not bool(torch.isfinite(matrix).all()):
        raise ValueError("it holds values that are not finite")
    exact = matrix.detach().cpu().double()
    largest = float(exact.abs().max())
    if float((exact - exact.T).abs().max()) > TOLERANCE * largest:
        raise ValueError("it is not symmetric")
    values, vectors = torch.linalg.eigh((exact + exact.T) / 2)
    lowest, highest = float(values[0]), float(values.abs().max())
    if lowest < -TOLERANCE * highest:
        raise ValueError(
            f"it is not positive semi-definite: its lowest eigenvalue is {lowest:.3g}, its largest {highest:.3g}"
        )
    kept = values > TOLERANCE**2 * highest
    return FeatureMatrix((values[kept].sqrt() * vectors[:, kept]).T.float().contiguous(), patch_shape)


def csv_matrices(folder: Path) -> list[FeatureMatrix]:
    """The matrices of `layer_0.csv`, `layer_1.csv`... in a folder, in order: the source study's format.

    Raises:
        RequestError: if there are none, one is missing in between, or a file is no feature matrix.
    """
    found = {int(match[1]): path for path in folder.iterdir() if (match := _CSV.fullmatch(path.name))}
    if not found:
        raise RequestError(f"the folder '{folder}' holds no layer_0.csv")
    if missing := sorted(set(range(max(found) + 1)) - found.keys()):
        raise RequestError(f"the folder '{folder}' holds no layer_{missing[0]}.csv, but later ones")
    return [_read(found[index]) for index in sorted(found)]


def _read(path: Path) -> FeatureMatrix:
    try:
        return from_dense(torch.from_numpy(np.loadtxt(path, delimiter=",", ndmin=2)))
    except (OSError, ValueError) as error:
        raise RequestError(f"'{path}' holds no feature matrix: {str(error).splitlines()[0]}") from None
