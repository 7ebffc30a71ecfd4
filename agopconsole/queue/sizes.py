"""Checks before a run is queued that its data set has the images and the classes that are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from agopconsole.catalogue import DATASETS, IMAGE_FOLDER
from agopconsole.part_sizes import check_classes, part_sizes
from agopconsole.spec import RunSpec

_USUAL = RunSpec()


def check_sizes(specs: Iterable[RunSpec], data: Path | None) -> None:
    """Checks the parts of each data set, those of the runs that train sources included.

    The numbers are those of the published set or, where a folder of pictures lies in its place, those of its files.
    What is not known by either shows when the run is trained.

    Args:
        specs: of the runs.
        data: folder of the data sets; None leaves folders of pictures alone, which to count takes torch.

    Raises:
        RequestError: if a part would be empty, the limit is more than there is, or a class is not there.
    """
    seen = set()
    for spec in _with_sources(specs):
        key = (spec.dataset, spec.classes, spec.val_fraction, spec.limit)
        if key in seen:
            continue
        seen.add(key)
        sizes = _class_sizes(spec, data)
        if not sizes:
            continue
        kept = spec.class_indices or range(len(sizes))
        check_classes(spec.dataset, kept, len(sizes))
        n = sum(sizes[index] for index in kept)
        part_sizes(spec.dataset, n, val_fraction=spec.val_fraction, limit=spec.limit)


def _with_sources(specs: Iterable[RunSpec]) -> Iterator[RunSpec]:
    """The runs, and of those that train a source on a data set the ones that differ."""
    seen = set()
    for spec in specs:
        yield spec
        key = (spec.source, spec.val_fraction)
        if spec.source.startswith("dataset:") and spec.method.needs_source and spec.round == 1 and key not in seen:
            seen.add(key)
            source = spec.source_run()
            assert source is not None
            yield source


def _class_sizes(spec: RunSpec, data: Path | None) -> Sequence[int]:
    """Training pictures of each class; empty where they are not known."""
    is_folder = spec.dataset.startswith(f"{IMAGE_FOLDER}:")
    asked = (spec.limit, spec.classes, spec.val_fraction) != (_USUAL.limit, _USUAL.classes, _USUAL.val_fraction)
    if data is not None and asked and (is_folder or (data / spec.dataset / "train").is_dir()):
        from agopconsole.backend.data.class_sizes import class_sizes  # imports torch

        try:
            return class_sizes(spec.dataset, data) or DATASETS[spec.dataset].class_sizes
        except OSError:
            return ()
    return () if is_folder else DATASETS[spec.dataset].class_sizes
