"""Options that more than one command takes; those of a run are generated from the fields of its spec."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from dataclasses import Field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from agopconsole.errors import RequestError, unknown_choice
from agopconsole.spec import RunSpec, field_types, typed

if TYPE_CHECKING:
    from agopconsole.store import Store

TableFormat = Annotated[Literal["table", "json", "csv", "markdown"], typer.Option("--format", help="how to print it")]
OfStudy = Annotated[str | None, typer.Option("--study", metavar="TEXT", help="only the runs of that study")]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="TOML file of these options; one that is given here as well overrides it"
    ),
]
Mirror = Annotated[
    str | None,
    typer.Option(
        "--mirror",
        envvar="AGOPCONSOLE_MIRROR",
        metavar="PLACE",
        help="URL or folder to fetch data sets and weights from, in place of their published addresses",
    ),
]

Devices = Annotated[
    str, typer.Option("--devices", metavar="NAMES", help="auto, or cuda:0,cuda:1 or cpu: what to give to runs")
]
SlotsEach = Annotated[int, typer.Option("--slots", min=1, metavar="N", help="runs at once on each device")]
OnFinish = Annotated[
    str | None,
    typer.Option(
        "--on-finish",
        metavar="COMMAND",
        help="what the shell is to run, once, when a run has ended, however it ended: in the store's folder, for 10"
        " minutes at most, with AGOPCONSOLE_RUN_ID, AGOPCONSOLE_STATUS and likewise NAME, STUDY, METHOD, DATASET,"
        " MODEL, SEED, EPOCH, BEST_VAL_ACCURACY, TEST_ACCURACY, LOSS_GAP, ERROR and DB in its environment",
    ),
]

_METAVARS = {str: "TEXT", int: "N", float: "X"}


def takes_spec(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """Gives a command an option for each field of a spec; those that were given reach it as the dict `given`."""
    generated = [_parameter(f) for f in fields(RunSpec)]
    own_hints = typing.get_type_hints(command, include_extras=True)
    own = [
        p.replace(annotation=own_hints[n]) for n, p in inspect.signature(command).parameters.items() if n != "given"
    ]

    @functools.wraps(command)
    def wrapper(**values: Any) -> int | None:
        texts = {p.name: values.pop(p.name) for p in generated}
        return command(**values, given={name: typed(name, text) for name, text in texts.items() if text is not None})

    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*own, *generated)]
    typing.cast(Any, wrapper).__signature__ = inspect.Signature(parameters)
    wrapper.__annotations__ = {p.name: p.annotation for p in parameters}
    return wrapper


def _parameter(field: Field[Any]) -> inspect.Parameter:
    kind, _ = field_types()[field.name]
    choices = field.metadata["choices"]
    text = field.metadata["help"]
    if choices:
        text += f": {', '.join(choices)}"
    if field.default not in (None, ""):
        text += f" [{field.default}]"
    option = typer.Option(f"--{field.name.replace('_', '-')}", help=text, metavar=_METAVARS[kind], show_default=False)
    return inspect.Parameter(
        field.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, option]
    )


def read_spec(config: Path | None, given: dict[str, Any]) -> RunSpec:
    """The spec of a file and the options that override it.

    Raises:
        RequestError: if the file cannot be read, or the two together are no sound spec.
    """
    return _parsed(config, given, lambda table: table)


def read_source_spec(config: Path | None, given: dict[str, Any], init: str) -> RunSpec:
    """The spec of a command that looks at a source and starts nothing from it: its network is the source's.

    Args:
        config: as for `read_spec`.
        given: as for `read_spec`.
        init: the method that asks for all that the command needs.

    Raises:
        RequestError: as `read_spec`.
    """
    return _parsed(config, given, lambda table: {**table, **_network_of_source(table), "init": init})


def _network_of_source(table: dict[str, Any]) -> dict[str, Any]:
    named = table.get("source_model")
    return {} if named is None else {"model": named, "source_model": None}


def _parsed(
    config: Path | None, given: dict[str, Any], completed: Callable[[dict[str, Any]], dict[str, Any]]
) -> RunSpec:
    if config is None:
        return RunSpec.parse(completed(given))
    from agopconsole.study import read_toml

    table = read_toml(config)
    try:
        return RunSpec.parse(completed({**table, **given}))
    except RequestError as error:
        raise RequestError(f"{config}{', with the options given here' if given else ''}: {error}") from None


def check_study(store: Store, study: str | None) -> None:
    """Checks that the store has runs of that study, where one is named.

    Raises:
        RequestError: if it has none; the message names those it has.
    """
    if study is not None and study not in (studies := store.studies()):
        raise unknown_choice("study", study, studies)
