"""`agopconsole` and `python -m agopconsole`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line and exits with its status."""
    try:
        from agopconsole.cli.entry import run  # a job's process imports this module too, and needs no command line

        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
