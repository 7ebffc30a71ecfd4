"""A command that the console waits for: what it says, how it fails, how it is ended."""

import asyncio
import sys

import psutil
import pytest

from agopconsole.errors import WorkError
from agopconsole.tui import child_command
from agopconsole.tui.child_command import run_command


def python(code):
    return [sys.executable, "-c", code]


async def test_its_lines_are_heard_and_its_output_is_not(tmp_path):
    heard = []
    code = (
        "import os, sys; print('result'); print('one\\n\\ntwo', file=sys.stderr); print(os.getcwd(), file=sys.stderr)"
    )
    await run_command(python(code), tmp_path, heard.append)
    assert heard == ["one", "two", str(tmp_path)]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import sys; print('agopconsole: error: no head', file=sys.stderr); sys.exit(2)", "no head"),
        ("import sys; sys.exit(3)", "the command ended with status 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "the command ended with status -9"),
    ],
)
async def test_its_failure_is_one_line(tmp_path, code, told):
    with pytest.raises(WorkError) as failed:
        await run_command(python(code), tmp_path, str)
    assert str(failed.value) == told


async def test_one_that_cannot_be_started_is_told(tmp_path):
    with pytest.raises(WorkError, match=r"nowhere cannot be started: No such file"):
        await run_command([str(tmp_path / "nowhere")], tmp_path, str)


@pytest.mark.parametrize("stubborn", [False, True])
async def test_it_ends_with_whoever_waits_for_it(tmp_path, stubborn, monkeypatch):
    monkeypatch.setattr(child_command, "_PATIENCE_SECONDS", 0.2)
    refuse = "signal.signal(signal.SIGTERM, signal.SIG_IGN);" if stubborn else ""
    code = f"import os, signal, sys, time;{refuse}print(os.getpid(), file=sys.stderr, flush=True);time.sleep(600)"
    heard = []
    waiting = asyncio.create_task(run_command(python(code), tmp_path, heard.append))
    while not heard:
        await asyncio.sleep(0.01)
    assert psutil.pid_exists(int(heard[0]))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    while psutil.pid_exists(int(heard[0])):
        await asyncio.sleep(0.01)
