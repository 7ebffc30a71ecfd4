"""From the arguments to the exit status: the one place that prints errors, each in one line."""

from __future__ import annotations

import contextlib
import io
import os
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

from typer import Abort
from typer.exceptions import TyperException

from agopconsole.cli.app import app
from agopconsole.cli.coercion import build_command
from agopconsole.cli.settings import INTERRUPTED
from agopconsole.errors import AgopconsoleError, RequestError
from agopconsole.wording import printable

_BROKEN_PIPE = 141  # what a shell reports of any program that wrote into a closed pipe
_GLOBAL_OPTIONS = ("--db", "--data-dir")


def run(arguments: Sequence[str]) -> int:
    """Runs one command and returns its exit status."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        Path.cwd()
    except OSError:
        return _fail("the folder that you are in is not there any more", 1)
    try:
        status = build_command(app)(globals_first(arguments), prog_name="agopconsole", standalone_mode=False)
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):
        # Typer makes the one into the other, and keeps every other SystemExit to itself.
        # The interpreter flushes once more on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except (KeyboardInterrupt, Abort):
        return INTERRUPTED
    except TyperException as error:
        return _fail(_usage(error), error.exit_code)
    except AgopconsoleError as error:
        return _fail(str(error), error.exit_status)
    except (sqlite3.Error, OSError, UnicodeEncodeError) as error:
        return _fail(*_outside(error))
    return status if isinstance(status, int) else 0


def _outside(error: sqlite3.Error | OSError | UnicodeEncodeError) -> tuple[str, int]:
    """What the store's library, the system or an argument did not let us do, and the exit status of that."""
    if isinstance(error, UnicodeEncodeError):  # bytes of the command line, on their way into the store
        return f"'{error.object}' is no text in UTF-8", RequestError.exit_status
    if isinstance(error, sqlite3.Error):
        return f"the store: {error}", 1
    return ": ".join(str(part) for part in (error.filename, error.strerror or error) if part), 1


def _open_closed_streams() -> None:
    """Points standard streams that came closed at nothing: a store must not be opened under the number of one."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            os.set_inheritable(number := os.open(os.devnull, os.O_RDWR), True)
            setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w", encoding="utf-8"))


def globals_first(arguments: Sequence[str]) -> list[str]:
    """The arguments with the global options moved to the front, so that they may stand after the command too.

    Raises:
        RequestError: if one of them has no value.
    """
    front: list[str] = []
    rest: list[str] = []
    pending = list(arguments)
    while pending:
        argument = pending.pop(0)
        if argument == "--":
            rest += [argument, *pending]
            break
        if argument in _GLOBAL_OPTIONS:
            if not pending:
                raise RequestError(f"option '{argument}' requires an argument")
            front += [argument, pending.pop(0)]
        elif argument.startswith(tuple(f"{option}=" for option in _GLOBAL_OPTIONS)):
            front.append(argument)
        else:
            rest.append(argument)
    return front + rest


def _usage(error: TyperException) -> str:
    """What was wrong with the arguments, with what would be right."""
    message = error.format_message()
    context = getattr(error, "ctx", None)
    commands = getattr(context.command, "commands", None) if context else None
    if commands and message.startswith(("Missing command", "No such command")) and "Did you mean" not in message:
        message = f"{message.rstrip('.')}; choose from {', '.join(commands)}"
    elif context and "Did you mean" not in message and "Possible" not in message:
        message = f"{message.rstrip('.')}; see {context.command_path} --help"
    return message[:1].lower() + message[1:]


def _fail(message: str, status: int) -> int:
    # A name out of a file may hold what a terminal takes for an order.
    said = printable(" ".join(message.split()))
    with contextlib.suppress(OSError):  # the status says it too
        print(f"agopconsole: error: {said}", file=sys.stderr, flush=True)  # noqa: T201
    return status
