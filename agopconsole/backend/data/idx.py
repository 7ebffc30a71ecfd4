"""MNIST and Fashion-MNIST in the idx format they are published in, gzipped or not."""

from __future__ import annotations

import gzip
import struct
import zlib
from functools import partial
from pathlib import Path

import numpy as np
import torch

from agopconsole.backend.data.container import broken_archive
from agopconsole.backend.data.dataset import Dataset, Found, Images, Report
from agopconsole.backend.data.published import PUBLISHED, Published, RemoteFile, provenance
from agopconsole.errors import WorkError
from agopconsole.wording import counted

_IMAGES, _LABELS = 0x0803, 0x0801
"""Magic numbers: unsigned bytes in three dimensions, in one."""


def find_idx(name: str, data_dir: Path) -> Found | None:
    """The folder with the four files of `mnist` or `fashion_mnist`.

    Looked for where torchvision puts them, in a folder of the set's name, and in `data_dir` itself. There they count
    only if the folder's name or their content says which set they are: the files of both have the same names.
    """
    published = PUBLISHED[name]
    for part in (published.folder, name, f"{name}/raw", name.replace("_", "-")):
        folder = data_dir / part
        if _is_whole(folder, published):
            return Found("idx", folder, partial(_read, name, folder, part))
    own_name = data_dir.resolve().name
    if _is_whole(data_dir, published) and (_plain(own_name) == _plain(name) or _has_labels_of(data_dir, published)):
        return Found("idx", data_dir, partial(_read, name, data_dir, own_name))
    return None


def _is_whole(folder: Path, published: Published) -> bool:
    return all(_present(folder, file) for file in published.files)


def _present(folder: Path, file: RemoteFile) -> Path | None:
    """The file itself, or the one that unzipping it gave."""
    zipped = folder / file.name
    return next((path for path in (zipped, zipped.with_suffix("")) if path.is_file()), None)


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


def _has_labels_of(folder: Path, published: Published) -> bool:
    labels = published.files[1]
    path = _present(folder, labels)
    return path is not None and labels.is_at(path)


def _read(name: str, folder: Path, label: str, report: Report) -> Dataset:
    del report
    paths = [_present(folder, file) or folder / file.name for file in PUBLISHED[name].files]
    published = all(file.is_at(path) for file, path in zip(PUBLISHED[name].files, paths, strict=True))
    train, test = _images(*paths[:2]), _images(*paths[2:])
    origin = provenance(f"idx files in {label}", published=published)
    return Dataset(name, PUBLISHED[name].classes, train, test, origin)


def _images(pixel_file: Path, label_file: Path) -> Images:
    pixels, labels = _array(pixel_file, _IMAGES), _array(label_file, _LABELS)
    if len(pixels) != len(labels):
        raise WorkError(
            f"{pixel_file} holds {counted(len(pixels), 'picture')}, but {label_file} {counted(len(labels), 'label')}"
        )
    return Images(torch.from_numpy(pixels).unsqueeze(1), torch.from_numpy(labels.astype(np.int64)))


def _array(path: Path, magic: int) -> np.ndarray:
    """The array of one idx file: magic number, one size a dimension (big-endian), then the bytes."""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        dimensions = magic & 0xFF
        found, *shape = struct.unpack_from(f">{1 + dimensions}I", data)
        if found != magic:
            raise WorkError(f"{path} is no idx file of the kind {magic:#06x}: it starts with {found:#010x}")
        return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape).copy()
    except (OSError, EOFError, ValueError, zlib.error, struct.error) as error:
        raise broken_archive(path, error) from None
