"""The command line that asks for a run."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from dataclasses import fields

from agopconsole.spec import RunSpec


def command_line(spec: RunSpec) -> str:
    """`agopconsole run ...` with an option for each field that is not at its default, quoted for a shell."""
    return shlex.join(["agopconsole", "run", *options(spec), "--queue"])


def options(spec: RunSpec, among: Collection[str] | None = None) -> list[str]:
    """The options that ask for those fields of a spec (None: all) that are not at their defaults."""
    words = []
    for field in fields(RunSpec):
        value = getattr(spec, field.name)
        if value != field.default and (among is None or field.name in among):
            words += [f"--{field.name.replace('_', '-')}", str(value)]
    return words
