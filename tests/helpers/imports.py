"""What a piece of code imports, told by an interpreter of its own."""

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
}
"""What takes long to import, and no light command needs."""


def loaded_by(code, *arguments, folder=None):
    """The names of the modules that are loaded once `code` has run with those `sys.argv[1:]`, and what it printed."""
    command = [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules, file=sys.stderr)", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split()), done.stdout
