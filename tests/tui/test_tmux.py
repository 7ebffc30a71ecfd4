"""The console in tmux, a real terminal: a run is queued by the form, grows, is cancelled, and leaves no process."""

import shlex
import subprocess
import sys

from helpers.processes import TESTS, eventually, processes_in, start

from agopconsole.store import Store


def tmux(*arguments):
    command = ["tmux", "-L", "agopconsole-test", "-f", "/dev/null", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_run_is_queued_watched_and_cancelled(tmp_path):
    Store(tmp_path / "runs.db", create=True).close()
    worker = start(["worker"], tmp_path)
    command = shlex.join(
        ["env", f"PYTHONPATH={TESTS}", "LANG=C.UTF-8", sys.executable, "-m", "helpers.fake_cli", "tui"]
    )
    tmux("new-session", "-d", "-s", "console", "-x", "120", "-y", "40", "-c", str(tmp_path), command)
    try:

        def sees(words):
            return eventually(lambda: words in tmux("capture-pane", "-p", "-t", "console"), 30)

        def press(*keys):
            tmux("send-keys", "-t", "console", *keys)

        sees("There are no runs")
        press("n")
        sees("time, one after another")
        press(*["Enter"] * 5, *"5000", "F2")
        sees("queued #1")
        with Store(tmp_path / "runs.db") as store:
            assert store.run(1).epochs == 5000
            eventually(lambda: store.run(1).epoch > 1, 30)
            sees("/5000")
            press("g", "c")
            sees("cancelled")
            eventually(lambda: store.run(1).status == "cancelled", 30)
        press("q")
    finally:
        worker.terminate()
        worker.communicate(timeout=30)
        subprocess.run(["tmux", "-L", "agopconsole-test", "kill-server"], capture_output=True, check=False)
    eventually(lambda: not processes_in(tmp_path), 15)
