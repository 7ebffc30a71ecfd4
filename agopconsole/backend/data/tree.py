"""Picture trees: one folder a class, `<root>/{train,test}/<class>/*`, or `<root>/<class>/*` without a test split.

A tree stands in for the published archive of any data set, and is what `imagefolder:PATH` names. A folder `val` is
taken for `test` where there is no `test`.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch

from agopconsole.backend.data.cache import load_pictures
from agopconsole.backend.data.container import DiskFolder, PictureFile
from agopconsole.backend.data.dataset import Dataset, Found, Images, Report
from agopconsole.backend.data.decode import Target, resized_words
from agopconsole.errors import WorkError
from agopconsole.wording import counted

_TEST_FOLDERS = ("test", "val")


def find_tree(name: str, root: Path, target: Target, cache: Path) -> Found | None:
    """The picture tree at `root`, if it has a folder `train`."""
    if not (root / "train").is_dir():
        return None
    return Found("tree", root, partial(read_tree, name, root, target, cache))


def read_tree(name: str, root: Path, target: Target, cache: Path, report: Report) -> Dataset:
    """The picture tree at `root`; without a folder `train`, its own folders are the classes.

    Args:
        name: of the data set.
        root: the tree.
        target: what its pictures are made to be.
        cache: folder of decoded pictures.
        report: takes lines of progress.

    Raises:
        WorkError: if a class folder is empty, the test split has a class of its own, or a picture is broken.
    """
    folder = DiskFolder(root)
    whole = not (root / "train").is_dir()
    train_part = "" if whole else "train"
    test_part = None if whole else next((part for part in _TEST_FOLDERS if (root / part).is_dir()), None)
    classes = folder.folders(train_part)
    if len(classes) < 2:
        raise WorkError(
            f"{root / train_part} holds {counted(len(classes), 'class folder')}, where a classifier needs two or more"
        )
    parts = [part for part in (train_part, test_part) if part is not None]
    images, resized = [], 0
    for part in parts:
        files, labels = _listing(folder, part, classes)
        decoded = load_pictures(folder, files, target, cache, report)
        images.append(Images(decoded.pixels, torch.tensor(labels)))
        resized += decoded.resized
    origin = f"picture tree {folder.label}" + ("" if whole else f"/{{{','.join(parts)}}}" if test_part else "/train")
    origin += resized_words(resized, sum(map(len, images)), target)
    return Dataset(name, tuple(classes), images[0], images[1] if test_part else None, origin)


def _listing(folder: DiskFolder, part: str, classes: list[str]) -> tuple[list[PictureFile], list[int]]:
    """The pictures of one split, class by class, and their labels."""
    own = [name for name in folder.folders(part) if name not in classes]
    if own:
        raise WorkError(f"{folder.root / part} has a class folder '{own[0]}' that the training split lacks")
    files: list[PictureFile] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        under = f"{part}/{name}" if part else name
        of_class = folder.pictures(under) if (folder.root / under).is_dir() else []
        if not of_class:
            raise WorkError(f"class folder {folder.root / under} holds no picture")
        files += of_class
        labels += [label] * len(of_class)
    return files, labels
