"""Turns the texts of the command line into values, in place of Typer's own way through pydantic.

Importing pydantic takes longer than all the rest of `runs list`. Typer asks each parameter for an object that does
the conversion, and makes one only where there is none yet: here every parameter is given one that needs nothing.
"""

from __future__ import annotations

import operator
from pathlib import Path
from typing import Any, get_args, get_origin

import typer
from typer.main import get_command

Command = Any
"""Typer's commands are those of the Click that it carries inside, which has no public name."""

_NAMES = {int: "no whole number", float: "no number", bool: "neither 1 nor 0"}


def build_command(app: typer.Typer) -> Command:
    """The command of `app`, whose parameters and those of its subcommands convert without pydantic."""
    command = get_command(app)
    _equip(command, typer.Context(command, **command.context_settings))
    return command


def _equip(command: Command, context: typer.Context) -> None:
    for parameter in command.get_params(context):  # which makes the option --help, too
        parameter._runtime_param = _Conversion(parameter.type_descriptor.annotation)
    for name, subcommand in getattr(command, "commands", {}).items():
        _equip(subcommand, typer.Context(subcommand, parent=context, info_name=name))


class _Conversion:
    """What Typer calls a runtime parameter."""

    def __init__(self, annotation: Any) -> None:
        self._annotation = annotation

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:  # noqa: ARG002 - Typer's signature
        """The value of a parameter that was given as `value`, by the user or by its default."""
        if value is None:
            return () if param.nargs == -1 else None
        if get_origin(self._annotation) is list:
            (kind,) = get_args(self._annotation)
            return [_convert(item, kind, param) for item in value]
        return _convert(value, self._annotation, param)


def _within(number: float, param: Any) -> float:
    """The number, if it is within the bounds of its parameter."""
    for bound, holds, words in ((param.min, operator.ge, "at least"), (param.max, operator.le, "at most")):
        if bound is not None and not holds(number, bound):
            raise typer.BadParameter(f"it must be {words} {bound}, not {number:g}", param=param)
    return number


def _truth(text: str) -> bool:
    """What a flag is set to by its environment variable."""
    for value, words in ((True, ("1", "true", "yes", "on")), (False, ("0", "false", "no", "off"))):
        if text.lower() in words:
            return value
    raise ValueError


def _convert(value: Any, kind: Any, param: Any) -> Any:
    choices = get_args(kind)
    if choices:
        if value not in choices:
            raise typer.BadParameter(f"'{value}'; choose from {', '.join(choices)}", param=param)
        return value
    if kind in _NAMES and isinstance(value, str):
        try:
            return _truth(value) if kind is bool else _within(kind(value), param)
        except ValueError:
            raise typer.BadParameter(f"'{value}' is {_NAMES[kind]}", param=param) from None
    return Path(value) if kind is Path else value
