"""The target of a run: its data set, how that is split, and the training images that features are measured on."""

from __future__ import annotations

from agopconsole.backend import data
from agopconsole.backend.places import Places
from agopconsole.backend.source_features import TargetImages
from agopconsole.spec import RunSpec


def load_target(spec: RunSpec, places: Places, report: data.Report) -> tuple[data.Dataset, data.Split, TargetImages]:
    """The data set of `spec` with its classes chosen, its split, and its training images with their statistics.

    Raises:
        RequestError: if the data set does not have the classes or the images that are asked for.
        WorkError: if it is not there and cannot be fetched.
    """
    dataset = data.load_dataset(
        spec.dataset, places.data, image_size=spec.fed_size, mirror=places.mirror, report=report
    )
    if spec.class_indices is not None:
        dataset = dataset.subset(spec.class_indices)
    split = data.split(dataset, seed=spec.split_seed, val_fraction=spec.val_fraction, limit=spec.limit)
    mean, std = data.channel_statistics(dataset.train, split.train)
    return dataset, split, TargetImages(dataset.train, split.train, mean, std, dataset.origin)
