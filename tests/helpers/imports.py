"""What a piece of code imports, told by an interpreter of its own."""

import os
import subprocess
import sys

HEAVY = {
    "torch",
    "torchvision",
    "numpy",
    "sklearn",
    "scipy",
    "PIL",
    "textual",
    "plotext",
    "sqlite_utils",
    "psutil",
    "pydantic",
    "matplotlib",
    "tensorboard",
}
"""What takes long to import, and no light command needs."""


def loaded_by(code, *arguments, folder=None):
    """The names of the modules that are loaded once `code` has run with those `sys.argv[1:]`, and what it printed."""
    command = [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules, file=sys.stderr)", *arguments]
    # Coverage would import modules of its own there.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split()), done.stdout
