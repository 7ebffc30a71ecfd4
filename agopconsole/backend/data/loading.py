"""From the name of a data set to its pictures in memory: what is on disk is read, what is missing is fetched."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from agopconsole.backend.data.cifar import find_cifar
from agopconsole.backend.data.dataset import Dataset, Found, Report, silent
from agopconsole.backend.data.decode import Target
from agopconsole.backend.data.digits import load_digits
from agopconsole.backend.data.download import download
from agopconsole.backend.data.idx import find_idx
from agopconsole.backend.data.published import PUBLISHED
from agopconsole.backend.data.svhn import find_svhn
from agopconsole.backend.data.tiny_imagenet import find_tiny_imagenet, is_layout, read_folder
from agopconsole.backend.data.tree import find_tree, read_tree
from agopconsole.catalogue import DATASETS, IMAGE_FOLDER
from agopconsole.errors import WorkError, unknown_choice

_GREY = ("mnist", "fashion_mnist")


@dataclass(frozen=True, slots=True)
class DatasetStatus:
    """What `datasets list` says of one data set; the numbers are those of the published set.

    Attributes:
        state: `here`, `can be fetched` or `built in`.
        form: what lies there (`archive`, `folder`, `idx`, `tree`), empty if nothing does.
        location: where it lies, or where it would be put.
    """

    name: str
    title: str
    classes: int
    train: int
    test: int
    state: str
    form: str
    location: str


def load_dataset(
    name: str, data_dir: Path, *, image_size: int, mirror: str | None = None, report: Report = silent
) -> Dataset:
    """The data set `name`, fetched first if it is missing.

    Args:
        name: one of `catalogue.DATASETS`, or `imagefolder:PATH`.
        data_dir: folder of the data sets; decoded pictures are kept in `.decoded` below it.
        image_size: side in pixels that an image folder's pictures are brought to; the named sets keep their own.
        mirror: an address or a folder to fetch from, in place of the published one.
        report: takes lines of progress.

    Raises:
        RequestError: if there is no such data set.
        WorkError: if it is neither there nor to be had, or it is broken.
    """
    kind, _, path = name.partition(":")
    with _reading(name):
        if kind == IMAGE_FOLDER and path:
            return _load_folder(name, Path(path).expanduser(), data_dir, image_size, report)
        _check_name(name)
        if name == "digits":
            return load_digits()
        found = _find(name, data_dir) or _fetch(name, data_dir, mirror, report)
        return _counted(found.read(report), report)


def status(data_dir: Path) -> list[DatasetStatus]:
    """For every data set of the catalogue, whether it is here and where."""
    out = []
    for name, facts in DATASETS.items():
        if name == "digits":
            state, form, location = "built in", "", "scikit-learn"
        else:
            with _reading(name):
                found = _find(name, data_dir)
            published = PUBLISHED[name]
            state, form = ("here", found.form) if found else ("can be fetched", "")
            location = str(found.location if found else data_dir / published.folder / published.files[0].name)
        out.append(DatasetStatus(name, facts.title, facts.classes, facts.train, facts.test, state, form, location))
    return out


def fetch(name: str, data_dir: Path, *, mirror: str | None = None, report: Report = silent) -> str:
    """Fetches a data set that is not here yet.

    Returns:
        Where it lies.

    Raises:
        RequestError: if there is no such data set.
        WorkError: if it cannot be had.
    """
    _check_name(name)
    if name == "digits":
        return "scikit-learn"
    with _reading(name):
        found = _find(name, data_dir) or _fetch(name, data_dir, mirror, report)
    return str(found.location)


@contextlib.contextmanager
def _reading(name: str) -> Iterator[None]:
    """Names the data set whose files the system does not let us read."""
    try:
        yield
    except OSError as error:
        raise WorkError(f"{name} cannot be read: {error}") from None


def _check_name(name: str) -> None:
    if name not in DATASETS:
        raise unknown_choice("data set", name, [*DATASETS, f"{IMAGE_FOLDER}:PATH"])


def _find(name: str, data_dir: Path) -> Found | None:
    """What there is of a data set: as it is published, or else as a picture tree."""
    target = Target(DATASETS[name].native_size, 1 if name in _GREY else 3)
    cache = _cache(data_dir)
    as_published: dict[str, Callable[[], Found | None]] = {
        "svhn": partial(find_svhn, data_dir),
        "cifar10": partial(find_cifar, "cifar10", data_dir),
        "cifar100": partial(find_cifar, "cifar100", data_dir),
        "tiny_imagenet": partial(find_tiny_imagenet, data_dir, target, cache),
        "mnist": partial(find_idx, "mnist", data_dir),
        "fashion_mnist": partial(find_idx, "fashion_mnist", data_dir),
    }
    return as_published[name]() or find_tree(name, data_dir / name, target, cache)


def _fetch(name: str, data_dir: Path, mirror: str | None, report: Report) -> Found:
    published = PUBLISHED[name]
    try:
        for file in published.files:
            download(file, data_dir / published.folder, mirror=mirror, report=report)
    except WorkError as error:
        raise WorkError(
            f"{name} is not in {data_dir} (looked for {published.forms} or a picture tree "
            f"{name}/{{train,test}}/CLASS/) and could not be fetched: {error}; put one of these there, or name a "
            f"mirror: agopconsole datasets fetch {name} --mirror ADDRESS-OR-FOLDER; digits needs no download"
        ) from None
    found = _find(name, data_dir)
    assert found is not None, f"what was fetched of {name} is not found"
    return found


def _load_folder(name: str, root: Path, data_dir: Path, image_size: int, report: Report) -> Dataset:
    if not root.is_dir():
        raise WorkError(f"dataset '{name}': there is no folder {root}")
    target = Target(image_size, 3)
    if is_layout(root):
        return read_folder(name, root, target, _cache(data_dir), report)
    return read_tree(name, root, target, _cache(data_dir), report)


def _counted(dataset: Dataset, report: Report) -> Dataset:
    """The data set with what it lacks of the published one added to its origin."""
    facts = DATASETS[dataset.name]
    counts = (
        (len(dataset.classes), facts.classes, "classes"),
        (len(dataset.train), facts.train, "training pictures"),
        (len(dataset.test) if dataset.test else 0, facts.test, "test pictures"),
    )
    differing = [f"{n:,} of {published:,} {what}" for n, published, what in counts if n != published]
    if not differing:
        return dataset
    report(f"{dataset.name} is not the whole published set: {', '.join(differing)}")
    return replace(dataset, origin=f"{dataset.origin}, {', '.join(differing)}")


def _cache(data_dir: Path) -> Path:
    return data_dir / ".decoded"
