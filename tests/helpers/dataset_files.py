"""Tiny data sets in the formats that the real ones are published in.

Picture i of a split is of one colour, `colour(i)`, so that a reader that mixes up pictures or axes is found out.
"""

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from agopconsole.backend.data.published import PUBLISHED


def colour(i: int) -> tuple[int, int, int]:
    return (10 + i, 100 + i, 200 + i)


def rgb(n: int, size: int, first: int = 0) -> np.ndarray:
    """(n, size, size, 3): picture i in the colour of `first + i`."""
    return np.stack([np.full((size, size, 3), colour(first + i), np.uint8) for i in range(n)])


def save_picture(path: Path, value: int | tuple[int, int, int], size: tuple[int, int] = (8, 8)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L" if isinstance(value, int) else "RGB", size, value).save(path)


def idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(f">{1 + array.ndim}I", 0x0800 + array.ndim, *array.shape) + array.tobytes()


def write_idx(folder: Path, *, zipped: bool = True, train: int = 4, test: int = 2) -> None:
    """Grey pictures of 5x3 pixels whose values count up; labels 3, 4, 5... and 7, 8..."""
    folder.mkdir(parents=True, exist_ok=True)
    for prefix, n, first in (("train", train, 3), ("t10k", test, 7)):
        pixels = np.arange(n * 15, dtype=np.uint8).reshape(n, 5, 3)
        labels = np.arange(first, first + n, dtype=np.uint8)
        for name, array in (("images-idx3", pixels), ("labels-idx1", labels)):
            path = folder / f"{prefix}-{name}-ubyte"
            if zipped:
                path.with_suffix(".gz").write_bytes(gzip.compress(idx_bytes(array), mtime=0))
            else:
                path.write_bytes(idx_bytes(array))


def pass_for_published(monkeypatch, name: str, folder: Path) -> None:
    """Has the files in `folder` taken for the published ones of the data set `name`, going by their checksums."""
    known = PUBLISHED[name]
    files = tuple(
        replace(file, md5=hashlib.md5((folder / file.name).read_bytes()).hexdigest()) for file in known.files
    )
    monkeypatch.setitem(PUBLISHED, name, replace(known, files=files))


def cifar_files(name: str) -> dict[str, bytes]:
    """The files of the folder that the archive of CIFAR-10 or CIFAR-100 holds: two pictures a batch."""

    def batch(first: int) -> bytes:
        data = rgb(2, 32, first).transpose(0, 3, 1, 2).reshape(2, -1)
        labels = [first % 10, (first + 1) % 10]
        return pickle.dumps({"data": data, "labels" if name == "cifar10" else "fine_labels": labels}, protocol=2)

    if name == "cifar100":
        names = [f"kind{i}" for i in range(100)]
        return {"train": batch(0), "test": batch(2), "meta": pickle.dumps({"fine_label_names": names}, protocol=2)}
    names = [f"kind{i}" for i in range(10)]
    return {
        **{f"data_batch_{k + 1}": batch(2 * k) for k in range(5)},
        "test_batch": batch(10),
        "batches.meta": pickle.dumps({"label_names": names}, protocol=2),
    }


def write_tar(path: Path, members: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def write_svhn(folder: Path) -> None:
    """Twelve training and three test pictures; label 10 stands for the digit 0, as in the published files.

    Row 2, column 7 of every picture is white.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for split, n, first in (("train", 12, 0), ("test", 3, 20)):
        labels = np.array([(i % 10) + 1 for i in range(n)], np.uint8)[:, None]
        pixels = rgb(n, 32, first)
        pixels[:, 2, 7] = 255
        content = {"X": pixels.transpose(1, 2, 3, 0), "y": labels}
        savemat(folder / f"{split}_32x32.mat", content, do_compression=True)


def jpeg(value: int | tuple[int, int, int], size: int = 64) -> bytes:
    out = io.BytesIO()
    Image.new("L" if isinstance(value, int) else "RGB", (size, size), value).save(out, "JPEG", quality=100)
    return out.getvalue()


WNIDS = ("n03", "n01", "n02")
"""In the order of wnids.txt, which is not the sorted one."""


def tiny_imagenet_files() -> dict[str, bytes]:
    """Three classes; the first picture of n01 is grey; validation pictures in the order n02, n03, n01."""
    grey = {"n01": 50, "n02": 100, "n03": 150}
    files = {
        "wnids.txt": "\n".join(WNIDS).encode(),
        "words.txt": b"n01\tgoldfish\n",
        "val/val_annotations.txt": "".join(
            f"val_{i}.JPEG\t{wnid}\t0\t0\t62\t62\n" for i, wnid in enumerate(("n02", "n03", "n01"))
        ).encode(),
    }
    for wnid, value in grey.items():
        for i in range(2):
            pixel = value if (wnid, i) == ("n01", 0) else (value + i, value + i, value + i)
            files[f"train/{wnid}/images/{wnid}_{i}.JPEG"] = jpeg(pixel)
        files[f"train/{wnid}/{wnid}_boxes.txt"] = b"not a picture\n"
    for i, wnid in enumerate(("n02", "n03", "n01")):
        files[f"val/images/val_{i}.JPEG"] = jpeg((grey[wnid] + 5,) * 3)
    return files


def write_folder(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def write_zip(path: Path, files: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
