"""The command line that asks for a run."""

from __future__ import annotations

import shlex
from dataclasses import fields

from agopconsole.spec import RunSpec


def command_line(spec: RunSpec) -> str:
    """`agopconsole run ...` with an option for each field that is not at its default, quoted for a shell."""
    words = ["agopconsole", "run"]
    for field in fields(RunSpec):
        value = getattr(spec, field.name)
        if value != field.default:
            words += [f"--{field.name.replace('_', '-')}", str(value)]
    return shlex.join([*words, "--queue"])
