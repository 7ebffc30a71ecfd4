"""What stands in the form for new runs, as specs.

Texts by field in, checked specs out, with the messages of the command line. Three fields take several values
(`init`, `dataset`, `seed`), and `grid` takes others, so that the form can hold any study: `kaiming_nfm+scale=poster`
is an init with choices of its own, `lr=0.1,0.01; epochs=3,5` a grid of two fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec, typed
from agopconsole.study import expand

GRID = "grid"
SEVERAL = ("init", "dataset", "seed")
_FIRST = ("study", "init", "dataset", "model", "seed", GRID, "epochs", "source", "lr", "batch_size", "optimizer")
_NAMES = [f.name for f in fields(RunSpec)]
FIELDS: tuple[str, ...] = (*_FIRST, *(name for name in _NAMES if name not in _FIRST))
"""The fields of the form in order: those that most runs differ in first."""


def read_form(texts: Mapping[str, str]) -> tuple[RunSpec, ...]:
    """The runs that the form asks for; a field without a text is at its default.

    Raises:
        RequestError: as `RunSpec.parse` and `study.expand` do, and for several runs without the name of a study.
    """
    given = {name: text.strip() for name, text in texts.items() if text.strip()}
    inits = [_init(part) for part in _parts(given.get("init", RunSpec().init))]
    datasets = _parts(given.get("dataset", RunSpec().dataset))
    seeds = _seeds(given.get("seed", "0"))
    grid = _grid(given.get(GRID, ""))
    base = {name: typed(name, text) for name, text in given.items() if name not in (*SEVERAL, GRID, "study")}
    study = given.get("study", "")
    if len(inits) == len(datasets) == len(seeds) == 1 and not grid:
        return (RunSpec.parse({**base, "dataset": datasets[0], "seed": seeds[0], **inits[0], "study": study}),)
    if not study:
        raise RequestError("several runs are a study; give it a name in the field study")
    table = {"name": study, "inits": inits, "datasets": datasets, "seeds": seeds, "run": base, "grid": grid}
    return expand(table, study).runs


def form_texts(table: Mapping[str, Any], name: str) -> dict[str, str]:
    """The texts of the form for the table of a study.

    Raises:
        RequestError: if the study holds what the form has no field for.
    """
    if "pairs" in table:
        raise RequestError(f"pairs have no field in the form; queue it with `agopconsole study {name} --queue`")
    texts = {field: _text(value) for field, value in table.get("run", {}).items()}
    texts["study"] = str(table.get("name", name))
    texts["init"] = ",".join(_init_text(init) for init in table.get("inits", ()))
    if "datasets" in table:
        texts["dataset"] = ",".join(map(str, table["datasets"]))
    seeds = table.get("seeds", 1)
    texts["seed"] = ",".join(map(str, seeds if isinstance(seeds, list) else range(seeds)))
    grid = dict(table.get(GRID, {}))
    if "rounds" in table:
        grid["round"] = range(1, table["rounds"] + 1)
    texts[GRID] = "; ".join(f"{field}={','.join(map(_text, values))}" for field, values in grid.items())
    return texts


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _init(text: str) -> dict[str, Any]:
    name, *choices = (part.strip() for part in text.split("+"))
    pairs = [choice.partition("=") for choice in choices]
    if wrong := [choice for choice, (_, equals, _) in zip(choices, pairs, strict=True) if not equals]:
        raise RequestError(f"init '{text}': {wrong[0]} is not of the form scale=poster")
    return {"init": name, **{key: typed(key, value) for key, _, value in pairs}}


def _init_text(init: Any) -> str:
    if not isinstance(init, Mapping):
        return str(init)
    return "+".join([str(init["init"]), *(f"{key}={_text(value)}" for key, value in init.items() if key != "init")])


def _seeds(text: str) -> list[Any]:
    seeds: list[Any] = []
    for part in _parts(text):
        between = re.fullmatch(r"(\d{1,6})\s*-\s*(\d{1,6})", part)
        if between and int(between[1]) <= int(between[2]):
            seeds += range(int(between[1]), int(between[2]) + 1)
        else:
            seeds.append(typed("seed", part))
    return seeds or [0]


def _grid(text: str) -> dict[str, list[Any]]:
    grid: dict[str, list[Any]] = {}
    for part in filter(str.strip, text.split(";")):
        name, equals, values = part.partition("=")
        if not equals:
            raise RequestError(f"grid '{part.strip()}' is not of the form lr=0.1,0.01; epochs=3,5")
        grid[name.strip()] = [typed(name.strip(), value) for value in _parts(values)]
    return grid


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
