"""`agopconsole` and `python -m agopconsole`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line and exits with its status."""
    from agopconsole.cli.entry import run  # a job's process imports this module too, and needs no command line

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
