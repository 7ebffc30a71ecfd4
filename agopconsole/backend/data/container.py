"""What holds picture files: a folder on disk, or a zip archive that is read where it lies.

Archives are never unpacked, so nothing in them can be written anywhere.
"""

from __future__ import annotations

import os
import threading
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from agopconsole.errors import WorkError

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True, slots=True)
class PictureFile:
    """One picture: its path inside the container, and a stamp that changes when its content does."""

    name: str
    stamp: str


class Container(Protocol):
    """Picture files with paths, `/` between the parts, below one place that `label` names."""

    label: str

    def where(self, name: str) -> str:
        """The whole path of a file, for a message."""

    def pictures(self, under: str) -> list[PictureFile]:
        """The pictures below the folder `under`, however deep, sorted; hidden ones and other files left out."""

    def read(self, name: str) -> bytes:
        """The content of one file.

        Raises:
            WorkError: naming the file, if it is not there or not readable.
        """


class DiskFolder:
    """A folder on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.label = root.resolve().name

    def where(self, name: str) -> str:
        """See `Container`."""
        return str(self.root / name)

    def folders(self, under: str) -> list[str]:
        """Names of the folders directly in `under`, hidden ones left out; numbers sort as numbers."""
        with os.scandir(self.root / under) as entries:
            names = [entry.name for entry in entries if not is_hidden(entry.name) and entry.is_dir()]
        if all(name.isdecimal() for name in names):
            return sorted(names, key=lambda name: (int(name), name))
        return sorted(names)

    def pictures(self, under: str) -> list[PictureFile]:
        """See `Container`."""
        return sorted(self._walk(under), key=lambda file: file.name)

    def read(self, name: str) -> bytes:
        """See `Container`."""
        path = self.root / name
        try:
            return path.read_bytes()
        except OSError as error:
            raise WorkError(f"{path} cannot be read: {error.strerror}") from None

    def _walk(self, under: str) -> Iterator[PictureFile]:
        with os.scandir(self.root / under) as entries:
            for entry in entries:
                name = f"{under}/{entry.name}" if under else entry.name
                if is_hidden(entry.name):
                    continue
                if entry.is_dir():
                    yield from self._walk(name)
                elif is_picture(entry.name):
                    status = entry.stat()
                    yield PictureFile(name, f"{status.st_size}:{status.st_mtime_ns}")


class ZipFolder:
    """The one folder that a zip archive holds.

    Raises:
        WorkError: if the archive is broken.
    """

    def __init__(self, path: Path, folder: str) -> None:
        self.label = path.name
        self._path, self._folder = path, folder
        self._lock = threading.Lock()
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise broken_archive(path, error) from None

    def where(self, name: str) -> str:
        """See `Container`."""
        return f"{self._path}:{self._folder}/{name}"

    def pictures(self, under: str) -> list[PictureFile]:
        """See `Container`."""
        start = f"{self._folder}/"
        files = [
            PictureFile(info.filename.removeprefix(start), f"{info.file_size}:{info.CRC:08x}")
            for info in self._zip.infolist()
            if info.filename.startswith(f"{start}{under}/") and is_picture(info.filename)
        ]
        return sorted(
            (file for file in files if not any(is_hidden(part) for part in PurePosixPath(file.name).parts)),
            key=lambda file: file.name,
        )

    def read(self, name: str) -> bytes:
        """See `Container`."""
        try:
            # Reading is quick beside decoding, and a ZipFile counts its readers without a lock of its own.
            with self._lock:
                return self._zip.read(f"{self._folder}/{name}")
        except KeyError:
            raise WorkError(f"there is no {self.where(name)}") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise broken_archive(self._path, error) from None


def broken_archive(path: Path, error: Exception) -> WorkError:
    """The error for a file that cannot be read to its end."""
    if isinstance(error, OSError) and error.errno:
        return WorkError(f"{path} cannot be read: {error.strerror}")
    return WorkError(f"{path} is broken ({error}); delete it, so that it is fetched again, or put a whole one there")


def is_hidden(name: str) -> bool:
    """Whether a file or folder is none of the data: `.DS_Store`, `.ipynb_checkpoints`, `__MACOSX`."""
    return name.startswith(".") or name == "__MACOSX"


def is_picture(name: str) -> bool:
    """Whether a file is a picture, by the end of its name."""
    return PurePosixPath(name).suffix.lower() in _SUFFIXES
