"""Which code a run is asked for with and trained by: the package's version and, in a git checkout, its commit."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import agopconsole

_SECONDS = 10.0


def code_state(package: Path = Path(agopconsole.__file__).parent) -> str:
    """What identifies the code, as JSON.

    Its keys: `version`; `commit`, None where git does not know the package's files or is not there; `changes`, a
    digest of what differs from that commit, None where nothing does.
    """
    tracked = _git(package, "ls-files", "--error-unmatch", "__init__.py")
    commit = _git(package, "rev-parse", "HEAD") if tracked else None
    difference = _git(package, "diff", "HEAD", "--", ".") if commit else None
    changes = hashlib.sha256(difference.encode()).hexdigest()[:12] if difference else None
    return json.dumps({"version": agopconsole.__version__, "commit": commit, "changes": changes})


def _git(folder: Path, *arguments: str) -> str | None:
    """What git answers; None where it is missing, slow, or says no."""
    try:
        done = subprocess.run(  # noqa: S603 - the arguments are this module's own
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - whichever git the user has
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
