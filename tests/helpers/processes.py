"""Commands as processes, and what they leave behind."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

TESTS = Path(__file__).parent.parent


def start(arguments, folder, *, fake=True, **environment):
    """Starts the command line (with the fake engine) in `folder`."""
    command = [sys.executable, "-m", "helpers.fake_cli" if fake else "agopconsole", *arguments]
    path = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH", "")]))
    variables = {**os.environ, "PYTHONPATH": path, "NO_COLOR": "", **environment}
    return subprocess.Popen(
        command, cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process, timeout=30):
    """Waits for a started command: its exit status, standard output and standard error."""
    out, err = process.communicate(timeout=timeout)
    return process.returncode, out, err


def call(arguments, folder, **options):
    """Runs the command line in `folder`: exit status, standard output, standard error."""
    return finish(start(arguments, folder, **options))


def eventually(condition, seconds=10.0):
    """Waits until `condition()` holds, and returns what it gave; fails if it never does."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"{condition} did not come true in {seconds} s"
        time.sleep(0.02)
    return result


def processes_in(folder):
    """The processes whose working directory is `folder`: those that a command started there, and theirs."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and Path(process.cwd()) == folder:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess, FileNotFoundError):
            continue
    return found
