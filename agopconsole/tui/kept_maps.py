"""The maps of a photo that lie beside a run's files: which of them hold good, and the command that makes new ones."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import time
from dataclasses import dataclass
from pathlib import Path

from agopconsole.analysis.command_line import options
from agopconsole.analysis.photo_maps import StoredMaps, read_maps
from agopconsole.backend.places import BEST_WEIGHTS
from agopconsole.errors import RequestError
from agopconsole.store import RunRecord, Store

_NAME = "maps-{}.safetensors"

_FIELDS = ("model", "dataset", "image_size", "seed", "split_seed", "val_fraction", "classes", "limit", "device")
"""What of a run's spec says on which images the AGOP of its network is taken, and where it is computed."""


@dataclass(frozen=True, slots=True)
class MapsWanted:
    """Maps that are still to be computed.

    Attributes:
        command: that computes them.
        folder: to run it in, the one in which the run was trained.
        out: what it writes.
        asked_at: when they were asked for, in seconds since 1970.
    """

    command: tuple[str, ...]
    folder: Path
    out: Path
    asked_at: float

    def taken(self) -> StoredMaps:
        """What the command wrote.

        Its file gets the time of the question: of a checkpoint that was written in between it does not tell.

        Raises:
            RequestError: if it wrote none.
        """
        with contextlib.suppress(OSError):
            os.utime(self.out, (self.asked_at, self.asked_at))
        return read_maps(self.out)


def newest_maps(store: Store, run: RunRecord) -> StoredMaps | None:
    """Those of the run's best checkpoint that were asked for last; None if there are none.

    Raises:
        RequestError: if there is no checkpoint.
    """
    weights = _checkpoint(store, run)
    found = [path for path in weights.parent.glob(_NAME.format("*")) if _holds(path, weights)]
    for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True):
        with contextlib.suppress(RequestError):  # a damaged one is made anew when it is asked for
            return read_maps(path)
    return None


def maps_of(
    store: Store, run: RunRecord, photo: Path, data: Path | None, *, anew: bool = False
) -> StoredMaps | MapsWanted:
    """The maps of a photo where they are kept and hold good, else what computes them.

    Args:
        store: that the run is in.
        run: whose best checkpoint sees the photo.
        photo: a picture file.
        data: folder of the data sets; None for the user's own.
        anew: have them computed though they are kept.

    Raises:
        RequestError: if there is no checkpoint, or the photo cannot be read.
    """
    weights = _checkpoint(store, run)
    try:
        with photo.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:12]
    except OSError as error:
        raise RequestError(f"{photo}: {error.strerror}") from None
    out = weights.with_name(_NAME.format(digest))
    if not anew and _holds(out, weights):
        with contextlib.suppress(RequestError):
            return read_maps(out)
    from agopconsole.queue.background import PROGRAM  # psutil is slow to import

    # A run that is done shares its AGOP with those that start from it; one that is not is no source to the command.
    source = f"run:{run.id}" if run.status == "done" else str(weights.resolve())
    command = [*PROGRAM, "--db", str(store.path.resolve())]
    if data is not None:
        command += ["--data-dir", str(data.resolve())]
    command += ["maps", str(photo.resolve()), "--source", source, "--out", str(out.resolve())]
    command += options(run.request, _FIELDS)
    if run.mirror is not None:
        command += ["--mirror", run.mirror]
    return MapsWanted(tuple(command), store.path.resolve().parent, out, time.time())


def sample_photo() -> Path | None:
    """A photo that is on every machine: one that comes with scikit-learn, which need not be loaded for it."""
    found = importlib.util.find_spec("sklearn")
    for folder in (found.submodule_search_locations or ()) if found is not None else ():
        path = Path(folder) / "datasets" / "images" / "china.jpg"
        if path.is_file():
            return path
    return None


def _checkpoint(store: Store, run: RunRecord) -> Path:
    path = store.run_files(run.id) / BEST_WEIGHTS
    if not path.is_file():
        raise RequestError(f"{run.title} keeps no checkpoint whose maps could be shown")
    return path


def _holds(path: Path, weights: Path) -> bool:
    try:
        return path.stat().st_mtime >= weights.stat().st_mtime
    except OSError:
        return False
