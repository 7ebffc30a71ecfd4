"""Keeps decoded pictures, one file a split, so that the same files are decoded once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from agopconsole.backend.data.container import Container, PictureFile
from agopconsole.backend.data.dataset import Report
from agopconsole.backend.data.decode import Decoded, Target, decode
from agopconsole.backend.whole_files import written_beside

_FORMAT = "1"
"""Changes when the same files would be decoded to other pixels."""


def load_pictures(
    container: Container, files: Sequence[PictureFile], target: Target, cache: Path, report: Report
) -> Decoded:
    """The pictures in the order of `files`: from the folder `cache` if the very same files were decoded before.

    Raises:
        WorkError: naming the first picture that is broken.
    """
    digest = hashlib.sha256(f"{_FORMAT} {target}\n".encode())
    digest.update("\n".join(f"{file.stamp} {file.name}" for file in files).encode())
    kept = cache / f"{container.label}-{target.size}px-{digest.hexdigest()[:16]}.safetensors"
    found = _read(kept, report)
    if found is None:
        found = decode(container, files, target, report)
        _keep(found, kept, report)
    return found


def _read(path: Path, report: Report) -> Decoded | None:
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            return Decoded(file.get_tensor("pixels"), int(file.metadata()["resized"]))
    except (SafetensorError, OSError, KeyError) as error:
        report(f"the decoded copy {path.name} is not readable ({error}); decoding again")
        return None


def _keep(decoded: Decoded, path: Path, report: Report) -> None:
    try:
        with written_beside(path) as beside:
            save_file({"pixels": decoded.pixels}, beside, metadata={"resized": str(decoded.resized)})
            beside.chmod(0o644)  # safetensors keeps it from everybody else, and a data folder may be shared
    except (SafetensorError, OSError) as error:
        report(f"the decoded pictures are not kept for the next time: {error}")
