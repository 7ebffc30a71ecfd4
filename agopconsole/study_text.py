"""A study as the TOML file that describes it, for runs that differ in more than method and seed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from agopconsole.spec import RunSpec

_OF_STUDY = ("seed", "study", "name")


def study_text(
    specs: Sequence[RunSpec], *, name: str, description: str, seeds: Sequence[int], baseline: str, heading: str = ""
) -> str:
    """The TOML of a study of `specs`, each with every one of `seeds`.

    What all of them share stands in `run`, the rest of each in its entry of `inits`.

    Args:
        specs: the runs, whatever their seed, study and name.
        name: of the study.
        description: a sentence for its reader.
        seeds: of the study.
        baseline: label of the method that the others are compared with.
        heading: a comment of one line at the top.
    """
    asked = [_asked(spec) for spec in specs]
    shared = {key: value for key, value in asked[0].items() if all(key in a and a[key] == value for a in asked)}
    shared.pop("init", None)
    inits = [{"init": a["init"], **{k: v for k, v in a.items() if k != "init" and k not in shared}} for a in asked]
    lines = [f"# {heading}", ""] if heading else []
    lines += [
        f"name = {_value(name)}",
        f"description = {_value(description)}",
        f"seeds = {_value(list(seeds))}",
        "inits = [",
        *(f"  {_inline(init)}," for init in inits),
        "]",
        f"baseline = {_value(baseline)}",
        "",
        "[run]",
        *(f"{key} = {_value(value)}" for key, value in shared.items()),
    ]
    return "\n".join(lines) + "\n"


def _asked(spec: RunSpec) -> dict[str, Any]:
    """The fields of a spec that are not at their defaults, and its init."""
    values = {f.name: getattr(spec, f.name) for f in fields(RunSpec) if f.name not in _OF_STUDY}
    defaults = {f.name: f.default for f in fields(RunSpec)}
    return {"init": spec.init, **{name: value for name, value in values.items() if value != defaults[name]}}


def _inline(table: dict[str, Any]) -> str:
    return "{ " + ", ".join(f"{key} = {_value(value)}" for key, value in table.items()) + " }"


def _value(value: Any) -> str:
    # A number and a list of numbers are the same in both; a text too, once DEL is written out.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
