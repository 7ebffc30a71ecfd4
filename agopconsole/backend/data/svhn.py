"""SVHN as it is published: two MATLAB files of cropped digits."""

from __future__ import annotations

import zlib
from functools import partial
from pathlib import Path

import numpy as np
import torch

from agopconsole.backend.data.container import broken_archive
from agopconsole.backend.data.dataset import Dataset, Found, Images, Report
from agopconsole.backend.data.published import PUBLISHED, provenance
from agopconsole.errors import WorkError


def find_svhn(data_dir: Path) -> Found | None:
    """The two files, in the data folder or in `svhn` below it."""
    for folder in (data_dir, data_dir / "svhn"):
        if all((folder / file.name).is_file() for file in PUBLISHED["svhn"].files):
            return Found("archive", folder, partial(_read, folder))
    return None


def _read(folder: Path, report: Report) -> Dataset:
    del report
    published = PUBLISHED["svhn"]
    paths = [folder / file.name for file in published.files]
    train, test = (_images(path) for path in paths)
    unchanged = all(file.is_at(path) for file, path in zip(published.files, paths, strict=True))
    origin = provenance(f"archives {published.forms}", published=unchanged)
    return Dataset("svhn", published.classes, train, test, origin)


def _images(path: Path) -> Images:
    """The pictures of one file: X is (h, w, channels, n), y is (n, 1) with 10 for the digit 0."""
    try:
        from scipy.io import loadmat
        from scipy.io.matlab import MatReadError
    except ImportError:
        raise WorkError("svhn is read with scipy, which is missing: pip install scipy") from None
    try:
        content = loadmat(path)
        pixels = np.ascontiguousarray(content["X"].transpose(3, 2, 0, 1))
        labels = content["y"].reshape(-1).astype(np.int64)
        return Images(torch.from_numpy(pixels), torch.from_numpy(np.where(labels == 10, 0, labels)))
    except (
        MatReadError,
        OSError,
        EOFError,
        ValueError,
        TypeError,
        KeyError,
        NotImplementedError,  # scipy's word for a file of MATLAB 7.3
        zlib.error,
    ) as error:
        raise broken_archive(path, error) from None
