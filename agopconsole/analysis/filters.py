"""What a first layer looks for: the eigenvectors of its NFM or AGOP as pictures, from the files that hold them.

It reads safetensors with NumPy alone, for a screen that must not wait for torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agopconsole.analysis.tensor_files import facts_of, opened
from agopconsole.errors import RequestError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST = 9
"""Eigenvectors that are kept of a matrix."""

_COLOURS = 3


@dataclass(frozen=True, slots=True)
class Filters:
    """The first eigenvectors of the matrix of a layer that sees colours.

    Attributes:
        layer: its name.
        patches: the eigenvectors, shape (k, 3, h, w), of unit length, the largest entry of each positive.
        shares: of the trace that each of them has.
    """

    layer: str
    patches: NDArray[np.float64]
    shares: tuple[float, ...]

    def pictures(self) -> NDArray[np.uint8]:
        """The eigenvectors as pictures, shape (k, h, w, 3); grey stands for 0."""
        import numpy as np

        largest = abs(self.patches).max((1, 2, 3), keepdims=True)
        levels = (127.5 + 127.5 * self.patches / largest).round().astype(np.uint8)
        return np.ascontiguousarray(levels.transpose(0, 2, 3, 1))


def weight_filters(path: Path) -> Filters | None:
    """Those of the NFM, W^T W, of the first layer among the weights of a network; None if none of them sees colours.

    Raises:
        RequestError: if the file cannot be read.
    """
    with opened(path) as file:
        for name in file.keys():  # noqa: SIM118 - an open file is no mapping
            shape = file.get_slice(name).get_shape()
            if len(shape) == 4 and shape[1] == _COLOURS:
                return _filters(name.removesuffix(".weight"), file.get_tensor(name), shape[1:])
    return None


def feature_filters(path: Path) -> Filters | None:
    """Those of the first layer in a file of feature matrices; None if none of its layers sees colours.

    Raises:
        RequestError: if the file cannot be read or holds something else.
    """
    shapes = file_facts(path).get("patch_shapes")
    if not isinstance(shapes, dict):
        raise RequestError(f"'{path}' holds no feature matrices")
    with opened(path) as file:
        for name, shape in shapes.items():
            if len(shape) == 3 and shape[0] == _COLOURS:
                return _filters(name, file.get_tensor(name), shape)
    return None


def file_facts(path: Path) -> dict[str, Any]:
    """What a safetensors file of ours says of itself.

    Raises:
        RequestError: if the file cannot be read.
    """
    with opened(path) as file:
        return facts_of(file)


def _filters(layer: str, factor: NDArray[Any], shape: list[int]) -> Filters:
    """The spectrum of F^T F by the thin SVD of F, as the engine's own matrices have it."""
    import numpy as np

    _, singular, rows = np.linalg.svd(factor.reshape(len(factor), -1).astype(np.float64), full_matrices=False)
    weights = singular**2
    kept = min(MOST, int((weights > 0).sum()))
    largest = np.take_along_axis(rows, abs(rows).argmax(1)[:, None], 1)
    patches = (rows * np.sign(largest))[:kept].reshape(-1, *shape)
    return Filters(layer, patches, tuple(float(share) for share in weights[:kept] / (weights.sum() or 1)))
