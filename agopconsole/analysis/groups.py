"""Which runs are repeats of one another: same spec but for the seed.

Stored runs in, groups out, each with one run a seed. Runs of different recipes never share a group, so nothing
downstream can average over them.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from agopconsole.spec import RunSpec
from agopconsole.store import RunRecord

_REPEAT_FIELDS = ("seed", "name", "study", "device", "ansatz_epochs")
_DEFAULTS = {f.name: f.default for f in fields(RunSpec) if f.name not in _REPEAT_FIELDS}
_settings = operator.itemgetter(*_DEFAULTS)
_SEED = re.compile(r'"seed": \d+, ')
"""The seed in the JSON of a spec; within a text of the spec the quotes would be escaped."""
_METHOD_FIELDS = tuple(
    name
    for name in _DEFAULTS
    if name in ("init", "features", "scale", "basis", "layers", "fallback", "round")
    or name.startswith(("source", "agop_"))
)
_RECIPE_FIELDS = tuple(name for name in _DEFAULTS if name not in _METHOD_FIELDS)
_TUNED_FIELDS = ("lr", "momentum", "weight_decay")
"""Fields of the recipe that a study may give each method a value of its own of."""


@dataclass(frozen=True, slots=True)
class Group:
    """The repeats of one run.

    Attributes:
        settings: the fields of their common spec.
        runs: the one that counts for each seed, in order of seeds.
        own: fields of the recipe that belong to the method in this study (`own_fields`).
    """

    settings: dict[str, Any]
    runs: tuple[RunRecord, ...]
    own: tuple[str, ...] = ()

    @property
    def method(self) -> str:
        """Label of the initialisation method."""
        return self.runs[0].method

    @property
    def twin(self) -> str | None:
        """Label of its isotropic twin."""
        return self.runs[0].twin

    @property
    def recipe(self) -> tuple[Any, ...]:
        """Everything that two methods must have in common to be compared."""
        return tuple(self.settings[name] for name in _RECIPE_FIELDS if name not in self.own)

    def values(self, measured: Mapping[int, float]) -> dict[int, float]:
        """The metric by seed, from the metric by run id (`measures.measured`)."""
        return {run.seed: measured[run.id] for run in self.runs if run.id in measured}

    def counts(self, measured: Mapping[int, float]) -> dict[str, int]:
        """How many runs a reader must know of beside the mean; those at chance count in it, the others do not.

        `diverged` met a loss that was not finite, `failed` ended for another reason, `unfinished` is still to come,
        and `missing` is done but has no value of the metric.
        """
        runs = self.runs
        done = [run for run in runs if run.status == "done" and not run.diverged]
        diverged = sum(bool(run.diverged) for run in runs)
        return {
            "at_chance": sum(bool(run.at_chance) for run in done),
            "diverged": diverged,
            "failed": sum(run.status == "failed" and not run.diverged for run in runs),
            "unfinished": sum(run.status not in ("done", "failed") for run in runs),
            "missing": len(done) - len(self.values(measured)),
        }


Index = dict[tuple[str | None, tuple[Any, ...]], list[Group]]


def group_runs(runs: Sequence[RunRecord]) -> list[Group]:
    """The groups of `runs`: by data set, then recipe, then method, each in the order of its first run.

    Left out are cancelled runs and the runs that only trained a source for others.
    """
    by_settings: dict[tuple[Any, ...], dict[int, RunRecord]] = {}
    read: dict[str, tuple[Any, ...]] = {}  # so that of the repeats one alone is parsed
    trained_for_others = _source_runs(runs)
    for run in runs:
        if run.status == "cancelled" or run.id in trained_for_others:
            continue
        but_seed = _SEED.sub("", run.spec, count=1)
        key = read.get(but_seed)
        if key is None:
            key = read[but_seed] = _settings({**_DEFAULTS, **json.loads(run.spec)})
        seeds = by_settings.setdefault(key, {})
        if run.seed not in seeds or _precedence(run) > _precedence(seeds[run.seed]):
            seeds[run.seed] = run
    groups = [
        Group(dict(zip(_DEFAULTS, key, strict=True)), tuple(run for _, run in sorted(seeds.items())))
        for key, seeds in by_settings.items()
    ]
    own = own_fields(groups)
    groups = [replace(group, own=own) for group in groups] if own else groups
    datasets = _order(group.settings["dataset"] for group in groups)
    recipes = _order(group.recipe for group in groups)
    return sorted(groups, key=lambda group: (datasets[group.settings["dataset"]], recipes[group.recipe]))


def own_fields(groups: Sequence[Group]) -> tuple[str, ...]:
    """The fields of the recipe that each method of a study has its own value of, as after `agopconsole tune`.

    They belong to the method, and do not keep two methods from being compared. That is so only within one study, and
    only where no method stands there with two values: a grid over a field compares within each point of it.
    """
    if len({run.study for group in groups for run in group.runs}) != 1 or not groups[0].runs[0].study:
        return ()
    blocks: dict[tuple[Any, ...], list[Group]] = {}
    for group in groups:
        rest = tuple(group.settings[name] for name in _RECIPE_FIELDS if name not in _TUNED_FIELDS)
        blocks.setdefault(rest, []).append(group)
    for block in blocks.values():
        if len({(group.method, *_source_settings(group)) for group in block}) < len(block):
            return ()
    return tuple(
        name for name in _TUNED_FIELDS if any(len({g.settings[name] for g in block}) > 1 for block in blocks.values())
    )


def _source_runs(runs: Iterable[RunRecord]) -> set[int]:
    """The runs that the console added to train a source; one that a user asked for by `run:ID` is no such run."""
    wanted = {run.source_run for run in runs if (run.source or "").startswith("dataset:")}
    return {run.id for run in runs if run.id in wanted and run.trains_source}


def _precedence(run: RunRecord) -> tuple[int, int]:
    """Of several runs of one spec and seed the one that is done counts, else one that diverged, else the newest."""
    return (2 if run.status == "done" else 1 if run.diverged else 0, run.id)


def _order(keys: Iterable[Any]) -> dict[Any, int]:
    return {key: i for i, key in enumerate(dict.fromkeys(keys))}


def counterpart(group: Group, method: str | None, index: Index) -> Group | None:
    """The group of `method` with the recipe of `group`, or None without one.

    Where several differ in their source, it is the one with the source of `group`.
    """
    found = index.get((method, group.recipe), [])
    if len(found) > 1:
        found = [other for other in found if _source_settings(other) == _source_settings(group)]
    return found[0] if len(found) == 1 else None


def index_groups(groups: Iterable[Group]) -> Index:
    """The groups by method and recipe, for `counterpart`."""
    index: Index = {}
    for group in groups:
        index.setdefault((group.method, group.recipe), []).append(group)
    return index


def _source_settings(group: Group) -> list[Any]:
    return [group.settings[name] for name in _METHOD_FIELDS if name.startswith(("source", "agop_"))]


def telling(group: Group, groups: Sequence[Group], varied: Sequence[str]) -> list[str]:
    """Those of the varied fields that say something of this group.

    A field of the method does where the method's own groups differ in it: the source of others is nothing to a method
    that has none.
    """
    same = [other for other in groups if other.method == group.method]
    return [
        name
        for name in varied
        if name in _RECIPE_FIELDS or any(o.settings[name] != group.settings[name] for o in same)
    ]


def varied_fields(groups: Sequence[Group]) -> list[str]:
    """The fields that a reader needs to tell the groups apart, beside data set and method.

    These are what varies of the recipe, and what varies within one method on one data set.
    """
    varied = []
    for name in _DEFAULTS:
        if name in ("dataset", "init", "features", "scale", "basis"):
            continue
        whole = name in _RECIPE_FIELDS
        values: dict[tuple[str, ...], set[Any]] = {}
        for group in groups:
            place = () if whole else (group.settings["dataset"], group.method)
            values.setdefault(place, set()).add(group.settings[name])
        if any(len(found) > 1 for found in values.values()):
            varied.append(name)
    return varied
