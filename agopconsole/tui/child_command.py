"""A command in a process of its own: its lines as they come, its error as one; it ends with whoever waits for it."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Sequence
from pathlib import Path

from agopconsole.errors import WorkError

_ERROR = "agopconsole: error: "

_PATIENCE_SECONDS = 2.0
"""How long a process may take to end once it is asked to."""


async def run_command(command: Sequence[str], folder: Path, say: Callable[[str], None]) -> None:
    """Runs a command of this program to its end.

    Args:
        command: the program and its arguments.
        folder: to run it in.
        say: takes each line that it writes on standard error.

    Raises:
        WorkError: if it fails; the message is the one that it ended with.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE
        )
    except OSError as error:
        raise WorkError(f"{command[0]} cannot be started: {error.strerror}") from None
    last = ""
    try:
        assert process.stderr is not None
        async for raw in process.stderr:
            if line := raw.decode(errors="replace").strip():
                last = line
                say(line)
        status = await process.wait()
    finally:
        await _end(process)
    if status != 0:
        raise WorkError(last.removeprefix(_ERROR) or f"the command ended with status {status}")


async def _end(process: Process) -> None:
    """Sees a process to its end, whatever it is at."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _PATIENCE_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
