"""What the layers of a network see in a photo, from the file that `agopconsole maps` wrote; read without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agopconsole.analysis.tensor_files import facts_of, opened

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LayerPictures:
    """The maps of one layer, shape (h, w), values from 0 to 1."""

    layer: str
    nfm: NDArray[np.floating[Any]]
    agop: NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class StoredMaps:
    """Maps as they are kept.

    Attributes:
        path: the file that holds them.
        photo_path: the picture that they are of.
        photo: as it was fed, shape (3, h, w), values from 0 to 1.
        layers: from the first to the last.
    """

    path: Path
    photo_path: Path
    photo: NDArray[np.floating[Any]]
    layers: tuple[LayerPictures, ...]


def read_maps(path: Path) -> StoredMaps:
    """The maps that a file holds.

    Raises:
        RequestError: if it cannot be read or holds something else.
    """
    with opened(path) as file:
        facts = facts_of(file)
        layers = tuple(
            LayerPictures(name, file.get_tensor(f"nfm.{name}"), file.get_tensor(f"agop.{name}"))
            for name in facts["layers"]
        )
        return StoredMaps(path, Path(facts["photo"]), file.get_tensor("photo"), layers)
