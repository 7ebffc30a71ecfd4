"""The source study's Table 1, and what keeps a group of runs from being a repeat of it.

A group of runs in; the published number beside it, and one line on how the recipes differ, out. The table holds the
best validation accuracy over 20 epochs of VGG11, the mean of 3 seeds in percent, without error bars.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from agopconsole.analysis.groups import Group
from agopconsole.analysis.measures import BEST_VAL_ACCURACY, column
from agopconsole.analysis.tables import shown

METRIC = BEST_VAL_ACCURACY
SEEDS = 3

_METHODS = ("normal", "xavier_normal", "kaiming_uniform", "kaiming_normal", "agop", "nfm", "kaiming_nfm")
_ROWS = {
    "svhn": (92.35, 92.66, 93.02, 93.13, 91.71, 92.79, 93.23),
    "cifar10": (74.26, 76.56, 77.32, 77.10, 78.61, 79.32, 78.69),
    "cifar100": (40.18, 43.09, 44.76, 45.31, 42.84, 44.09, 48.33),
    "tiny_imagenet": (27.73, 28.49, 33.53, 32.38, 29.56, 31.34, 33.78),
}
TABLE = {dataset: dict(zip(_METHODS, row, strict=True)) for dataset, row in _ROWS.items()}

RECIPE: dict[str, Any] = {
    "image_size": 224,
    "augment": "none",
    "batch_size": 64,
    "optimizer": "sgd",
    "lr": 1e-3,
    "momentum": 0.9,
    "weight_decay": 5e-4,
    "schedule": "constant",
    "epochs": 20,
    "val_fraction": 0.2,
    "limit": None,
}
_FEATURE_RECIPE: dict[str, Any] = {"source": "imagenet", "scale": "poster"}
AGOP_RECIPE: dict[str, Any] = {"agop_images": 11}


def published(group: Group) -> float | None:
    """The poster's number in percent for the method, data set and network of `group`, or None if it has none."""
    settings = group.settings
    if settings["model"] != "vgg11" or settings["classes"] or group.runs[0].unknown:
        return None
    method = group.method.removesuffix(" scale=poster")
    return TABLE.get(settings["dataset"], {}).get(method)


def caveat(groups: Sequence[Group]) -> str:
    """One line for the reader of a comparison: in what the runs of `groups` depart from the poster's recipe."""
    compared = [group for group in groups if published(group) is not None]
    if not compared:
        return f"poster: no row is in its table, which has vgg11 on {', '.join(TABLE)} with {', '.join(_METHODS)}"
    departures = _departures(compared)
    recipe = f"not its recipe: {', '.join(departures)}" if departures else "its recipe"
    return f"poster: Table 1, mean of {SEEDS} seeds, no error bars; {recipe}"


def _departures(groups: Sequence[Group]) -> list[str]:
    feature_groups = [group for group in groups if group.runs[0].source]
    agop_groups = [group for group in feature_groups if group.runs[0].request.method.features == "agop"]
    found = [
        *_differing(groups, RECIPE),
        *_differing(feature_groups, _FEATURE_RECIPE),
        *_differing(agop_groups, AGOP_RECIPE),
    ]
    counts = {len(column(group.runs, METRIC)) for group in groups}
    if counts == {SEEDS}:
        return found
    span = f"{min(counts)} to {max(counts)}" if len(counts) > 1 else str(*counts)
    return [*found, f"seeds {span} not {SEEDS}"]


def _differing(groups: Sequence[Group], recipe: dict[str, Any]) -> list[str]:
    out = []
    for name, poster in recipe.items():
        values = {_setting(group, name) for group in groups}
        if values - {poster}:
            out.append(f"{name} {_listed(values)} not {_listed([poster])}")
    return out


def _setting(group: Group, name: str) -> Any:
    """The value of a field in effect, where the spec leaves it to the data set or the method."""
    if name == "image_size":
        return group.runs[0].request.fed_size
    if name == "scale":
        return group.runs[0].request.method.scale
    return group.settings[name]


def _listed(values: Iterable[Any]) -> str:
    return " or ".join(
        shown(value) or "none" for value in sorted(values, key=lambda value: (value is not None, value))
    )
