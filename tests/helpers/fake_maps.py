"""A command in the place of `agopconsole`: it notes what it was asked, and writes maps, fails or waits, as told.

    python -m helpers.fake_maps FOLDER [--db ...] maps PHOTO --out FILE ...

`FOLDER/asked.jsonl` gets its arguments and its process id; the word in `FOLDER/todo` says what it does.
"""

import json
import os
import sys
import time
from pathlib import Path

from helpers.map_files import keep_maps


def main():
    folder, arguments = Path(sys.argv[1]), sys.argv[2:]
    with (folder / "asked.jsonl").open("a") as file:
        file.write(json.dumps({"arguments": arguments, "pid": os.getpid(), "folder": str(Path.cwd())}) + "\n")
    sys.stderr.write("AGOP of run:1: 32 of 64 images\n")
    sys.stderr.flush()
    todo = (folder / "todo").read_text() if (folder / "todo").exists() else ""
    if todo == "fail":
        sys.stderr.write("agopconsole: error: source 'run:1' holds no head\n")
        return 2
    if todo == "wait":
        time.sleep(600)
    keep_maps(Path(arguments[arguments.index("--out") + 1]), arguments[arguments.index("maps") + 1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
