"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from agopconsole.errors import NoRoomError, WorkError

_ROOM = 2**20
"""A disk with less than these bytes left is full."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a disk says of itself, of a user's quota, and of a limit on a file."""


@contextlib.contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """A path to write to; at the end it takes the place of `path` at once, so that no half file is ever read.

    Raises:
        WorkError: if the disk does not take it (`NoRoomError` where it is full).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield beside
        beside.replace(path)
    except Exception as error:  # torch and safetensors say of a full disk what they like
        full = shutil.disk_usage(path.parent).free < _ROOM or getattr(error, "errno", None) in _NO_ROOM
        if full:
            raise NoRoomError(f"{path} cannot be written: there is no room left on the disk") from None
        if isinstance(error, OSError):
            raise WorkError(f"{path} cannot be written: {error.strerror}") from None
        raise
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.truncate(beside, 0)  # an error may hold torch's writer, and that the room of the file
            beside.unlink()
