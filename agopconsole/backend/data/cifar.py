"""CIFAR-10 and CIFAR-100 as they are published: pickled batches, in their archive or unpacked."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import tarfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchvision.datasets import CIFAR10, CIFAR100

from agopconsole.backend.data.container import broken_archive
from agopconsole.backend.data.dataset import Dataset, Found, Images, Report
from agopconsole.backend.data.published import provenance
from agopconsole.errors import WorkError

_KNOWN: dict[str, Any] = {"cifar10": CIFAR10, "cifar100": CIFAR100}

Files = dict[str, bytes]


def find_cifar(name: str, data_dir: Path) -> Found | None:
    """The archive or the folder it unpacks to, in the data folder or in `name` below it."""
    known = _KNOWN[name]
    for folder in (data_dir, data_dir / name):
        archive, unpacked = folder / known.filename, folder / known.base_folder
        if archive.is_file():
            return Found("archive", archive, partial(_read, name, archive, _from_archive))
        if unpacked.is_dir():
            return Found("folder", unpacked, partial(_read, name, unpacked, _from_folder))
    return None


def _read(name: str, path: Path, take: Callable[[Path, Any], Files], report: Report) -> Dataset:
    del report
    known = _KNOWN[name]
    files = take(path, known)
    checksums = {**dict(known.train_list), **dict(known.test_list), known.meta["filename"]: known.meta["md5"]}
    missing = [file for file in checksums if file not in files]
    if missing:
        raise WorkError(f"{path} lacks the file {known.base_folder}/{missing[0]}")
    published = all(hashlib.md5(files[f], usedforsecurity=False).hexdigest() == checksums[f] for f in checksums)
    classes = _unpickled(files[known.meta["filename"]], path).get(known.meta["key"])
    if not isinstance(classes, list):
        raise WorkError(f"{path} holds no names of classes")
    train = _images([files[file] for file, _ in known.train_list], path)
    test = _images([files[file] for file, _ in known.test_list], path)
    origin = provenance(f"{'archive' if path.is_file() else 'folder'} {path.name}", published=published)
    return Dataset(name, tuple(classes), train, test, origin)


def _from_folder(folder: Path, known: Any) -> Files:
    del known
    try:
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    except OSError as error:
        raise WorkError(f"{folder} cannot be read: {error}") from None


def _from_archive(archive: Path, known: Any) -> Files:
    """The files of the archive's one folder, read where they lie: nothing is written, whatever its paths say."""
    files: Files = {}
    try:
        with gzip.open(archive) as unzipped, tarfile.open(fileobj=unzipped) as members:
            for member in members:
                folder, _, name = member.name.removeprefix("./").partition("/")
                content = members.extractfile(member) if member.isfile() and folder == known.base_folder else None
                if content is not None:
                    files[name] = content.read()
            # The checksum of a gzip file stands at its end, after what tar needs.
            while unzipped.read(1 << 20):
                pass
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise broken_archive(archive, error) from None
    return files


def _images(batches: list[bytes], path: Path) -> Images:
    contents = [_unpickled(batch, path) for batch in batches]
    try:
        pixels = np.concatenate([np.asarray(content["data"], np.uint8) for content in contents])
        labels = np.concatenate([content.get("fine_labels", content.get("labels")) for content in contents])
        return Images(torch.from_numpy(pixels).reshape(-1, 3, 32, 32), torch.from_numpy(labels.astype(np.int64)))
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        raise WorkError(f"{path} holds no CIFAR batches: {error}") from None


class _ArrayUnpickler(pickle.Unpickler):
    """Rebuilds numpy arrays and plain values; a pickle that asks for any other code is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return super().find_class("numpy._core.multiarray", name)
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _unpickled(data: bytes, path: Path) -> dict[str, Any]:
    try:
        # Python 2 wrote them: latin1 keeps the bytes of the arrays as they are.
        content = _ArrayUnpickler(io.BytesIO(data), encoding="latin1").load()
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, IndexError, KeyError) as error:
        raise WorkError(f"{path} holds a pickle that is no CIFAR batch: {error}") from None
    if not isinstance(content, dict):
        raise WorkError(f"{path} holds a pickle that is no CIFAR batch")
    return content
