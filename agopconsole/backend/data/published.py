"""The published files of each data set: where they come from and how a whole one is told from a broken one.

Addresses and checksums are torchvision's own wherever it knows the set, and so are the folders: a folder that
torchvision has filled is read as it is, and torchvision reads one that was filled here.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from torchvision.datasets import CIFAR10, CIFAR100, MNIST, SVHN, FashionMNIST


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file that can be fetched.

    Attributes:
        name: its file name.
        md5: of the file.
        urls: where it can be had, tried in turn.
        content_md5: of what is inside a gzipped file, where it is also handed out gzipped anew.
    """

    name: str
    md5: str
    urls: tuple[str, ...]
    content_md5: str | None = None

    def is_at(self, path: Path) -> bool:
        """Whether the file at `path` is this one, whole and unchanged."""
        with path.open("rb") as file:
            found = _md5(file)
        if found in (self.md5, self.content_md5):
            return True
        if self.content_md5 is None:
            return False
        try:
            with gzip.open(path) as unzipped:
                return _md5(unzipped) == self.content_md5
        except (OSError, EOFError, zlib.error):
            return False


@dataclass(frozen=True, slots=True)
class Published:
    """The files of one data set.

    Attributes:
        files: all of them.
        forms: what is looked for in the data folder, in words.
        folder: where the files are put, below the data folder.
        classes: the names of the classes, where the files do not hold them.
    """

    files: tuple[RemoteFile, ...]
    forms: str
    folder: str = ""
    classes: tuple[str, ...] = ()


TINY_IMAGENET = RemoteFile(
    "tiny-imagenet-200.zip",
    "90528d7ca1a48142e341f4ef8d21d0de",
    ("http://cs231n.stanford.edu/tiny-imagenet-200.zip",),
)
# The Debian package dataset-fashion-mnist gzips the published content anew.
_FASHION_CONTENT = {
    "train-images-idx3-ubyte.gz": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte.gz": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte.gz": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte.gz": "15d484375f8d13e6eb1aabb0c3f46965",
}


def provenance(what: str, *, published: bool) -> str:
    """How the origin of a data set names its files: as the published ones, or as others of the same form."""
    return f"published {what}" if published else f"{what}, not the published content"


def _md5(file: BufferedIOBase) -> str:
    return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _cifar(known: Any) -> Published:
    return Published(
        (RemoteFile(known.filename, known.tgz_md5, (known.url,)),), f"{known.filename}, {known.base_folder}/"
    )


def _idx(known: Any, classes: tuple[str, ...], content: dict[str, str]) -> Published:
    files = tuple(
        RemoteFile(name, md5, tuple(f"{mirror}{name}" for mirror in known.mirrors), content.get(name))
        for name, md5 in known.resources
    )
    return Published(files, f"{known.__name__}/raw/*-ubyte.gz", f"{known.__name__}/raw", classes)


def _svhn() -> Published:
    files = tuple(
        RemoteFile(name, md5, (url,)) for url, name, md5 in (SVHN.split_list[split] for split in ("train", "test"))
    )
    return Published(files, " and ".join(file.name for file in files), classes=tuple("0123456789"))


PUBLISHED: dict[str, Published] = {
    "svhn": _svhn(),
    "cifar10": _cifar(CIFAR10),
    "cifar100": _cifar(CIFAR100),
    "tiny_imagenet": Published((TINY_IMAGENET,), f"{TINY_IMAGENET.name}, tiny-imagenet-200/"),
    "mnist": _idx(MNIST, tuple("0123456789"), {}),
    "fashion_mnist": _idx(FashionMNIST, tuple(FashionMNIST.classes), _FASHION_CONTENT),
}
