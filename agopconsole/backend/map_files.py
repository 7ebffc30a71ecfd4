"""Maps of a photo on disk: photo, maps and eigenvectors as safetensors, the names of the layers as metadata."""

from __future__ import annotations

from pathlib import Path

from agopconsole.backend.checkpoint import save_weights
from agopconsole.backend.maps import PhotoMaps


def save_maps(path: Path, found: PhotoMaps, photo: Path) -> None:
    """Writes maps as the tensors `photo`, `nfm.LAYER`, `agop.LAYER` and `eigenvectors.KIND`, whole or not at all.

    Args:
        path: of the safetensors file.
        found: the maps.
        photo: the file that they are of.
    """
    tensors = {"photo": found.photo}
    for layer in found.layers:
        tensors |= {f"nfm.{layer.layer}": layer.nfm, f"agop.{layer.layer}": layer.agop}
    tensors |= {f"eigenvectors.{kind}": vectors for kind, vectors in found.eigenvectors.items()}
    save_weights(path, tensors, {"photo": str(photo.resolve()), "layers": [layer.layer for layer in found.layers]})
