"""How many training pictures of each class lie in a folder, counted by their files: none of them is decoded."""

from __future__ import annotations

from pathlib import Path

from agopconsole.backend.data.container import DiskFolder
from agopconsole.backend.data.loading import status
from agopconsole.catalogue import IMAGE_FOLDER


def class_sizes(name: str, data_dir: Path) -> tuple[int, ...] | None:
    """The sizes of the classes in the order of their labels; None where no folder of pictures is what is read.

    Args:
        name: of the data set, or `imagefolder:PATH`.
        data_dir: folder of the data sets.
    """
    kind, _, path = name.partition(":")
    root = Path(path).expanduser() if kind == IMAGE_FOLDER else _tree(name, data_dir)
    if root is None:
        return None
    folder = DiskFolder(root)
    part = "train" if (root / "train").is_dir() else ""
    return tuple(len(folder.pictures(f"{part}/{of}" if part else of)) for of in folder.folders(part))


def _tree(name: str, data_dir: Path) -> Path | None:
    """The picture tree that stands in for a published data set."""
    if not (data_dir / name / "train").is_dir():
        return None
    return next((Path(s.location) for s in status(data_dir) if s.name == name and s.form == "tree"), None)
