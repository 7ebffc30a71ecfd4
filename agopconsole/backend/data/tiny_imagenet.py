"""Tiny ImageNet in its own layout, as the published zip archive or unpacked.

tiny-imagenet-200/wnids.txt                      the classes
tiny-imagenet-200/train/<wnid>/images/*.JPEG
tiny-imagenet-200/val/images/*.JPEG              of all classes
tiny-imagenet-200/val/val_annotations.txt        the class of each of these
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath

import torch

from agopconsole.backend.data.cache import load_pictures
from agopconsole.backend.data.container import Container, DiskFolder, ZipFolder
from agopconsole.backend.data.dataset import Dataset, Found, Images, Report
from agopconsole.backend.data.decode import Target, resized_words
from agopconsole.backend.data.published import TINY_IMAGENET, provenance
from agopconsole.errors import WorkError

NAME = "tiny_imagenet"
_FOLDER = "tiny-imagenet-200"
_ANNOTATIONS = "val/val_annotations.txt"


def find_tiny_imagenet(data_dir: Path, target: Target, cache: Path) -> Found | None:
    """The folder or the archive, in the data folder or in `tiny_imagenet` below it."""
    for folder in (data_dir / _FOLDER, data_dir / NAME / _FOLDER, data_dir / NAME):
        if is_layout(folder):
            return Found("folder", folder, partial(read_folder, NAME, folder, target, cache))
    for archive in (data_dir / TINY_IMAGENET.name, data_dir / NAME / TINY_IMAGENET.name):
        if archive.is_file():
            return Found("archive", archive, partial(_read_archive, archive, target, cache))
    return None


def is_layout(folder: Path) -> bool:
    """Whether a folder is laid out as above, whatever its name."""
    return (folder / "train").is_dir() and ((folder / "wnids.txt").is_file() or (folder / _ANNOTATIONS).is_file())


def read_folder(name: str, folder: Path, target: Target, cache: Path, report: Report) -> Dataset:
    """A folder in this layout, as the data set `name`.

    Raises:
        WorkError: if a picture is broken or of no known class, or a class has no picture.
    """
    return _read(name, DiskFolder(folder), f"folder {folder.resolve().name}", target, cache, report)


def _read_archive(archive: Path, target: Target, cache: Path, report: Report) -> Dataset:
    origin = provenance(f"archive {archive.name}", published=TINY_IMAGENET.is_at(archive))
    return _read(NAME, ZipFolder(archive, _FOLDER), origin, target, cache, report)


def _read(name: str, container: Container, origin: str, target: Target, cache: Path, report: Report) -> Dataset:
    classes = sorted(container.read("wnids.txt").decode().split())
    label_of = {wnid: label for label, wnid in enumerate(classes)}
    lines = container.read(_ANNOTATIONS).decode().splitlines()
    annotated = {line.partition("\t")[0]: line.split("\t")[1] for line in lines if "\t" in line}

    def images(part: str, wnid_of: Callable[[PurePosixPath], str]) -> tuple[Images, int]:
        files = container.pictures(part)
        labels = [label_of.get(wnid_of(PurePosixPath(file.name)), -1) for file in files]
        if -1 in labels:
            raise WorkError(f"{container.where(files[labels.index(-1)].name)} belongs to no class of wnids.txt")
        empty = sorted(set(classes) - {classes[label] for label in labels})
        if empty:
            raise WorkError(f"{container.where(part)} holds no picture of the class {empty[0]}")
        decoded = load_pictures(container, files, target, cache, report)
        return Images(decoded.pixels, torch.tensor(labels)), decoded.resized

    train, train_resized = images("train", lambda path: path.parts[1])
    # The validation pictures lie in one folder, which says nothing of their classes.
    test, test_resized = images("val", lambda path: annotated.get(path.name, ""))
    origin += resized_words(train_resized + test_resized, len(train) + len(test), target)
    return Dataset(name, tuple(classes), train, test, origin)
