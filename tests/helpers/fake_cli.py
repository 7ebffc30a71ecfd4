"""The command line with the fake engine in the engine's place: `python -m helpers.fake_cli ...`."""

import sys

from helpers.fake_engine import ENGINE

from agopconsole.cli.entry import run
from agopconsole.queue import launch

launch.ENGINE = ENGINE

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
