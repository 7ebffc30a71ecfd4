"""`run` and `study` in a terminal: the picture, and Ctrl-C."""

import pytest
from helpers.processes import eventually, processes_in
from helpers.terminal import Terminal

from agopconsole.store import Store

COLOUR = b"\x1b[3"
CTRL_C = b"\x03"


def statuses(folder):
    with Store(folder / "runs.db") as store:
        return [run.status for run in store.runs()]


def test_both_charts_a_bar_and_a_table(tmp_path):
    terminal = Terminal(["run", "--epochs", "4", "--lr", "0.02"], tmp_path)
    assert terminal.finish() == 0
    assert "validation accuracy, %" in terminal.text
    assert "loss gap: validation less training" in terminal.text
    assert "100%  epoch 4/4" in terminal.text
    assert "━" in terminal.text
    assert COLOUR in terminal.output
    assert "best %" in terminal.text.splitlines()[-3]


def test_no_colour(tmp_path):
    terminal = Terminal(["run", "--epochs", "4", "--lr", "0.02"], tmp_path, NO_COLOR="1")
    assert terminal.finish() == 0
    assert "validation accuracy, %" in terminal.text
    assert COLOUR not in terminal.output


def test_a_terminal_without_unicode(tmp_path):
    terminal = Terminal(["run", "--epochs", "4", "--lr", "0.02"], tmp_path, PYTHONIOENCODING="ascii")
    assert terminal.finish() == 0
    assert "validation accuracy, %" in terminal.text
    assert terminal.text.isascii()


def test_a_dumb_terminal_gets_plain_lines(tmp_path):
    terminal = Terminal(["run", "--epochs", "2", "--lr", "0.005"], tmp_path, TERM="dumb")
    assert terminal.finish() == 0
    assert "epoch 2/2  train 1.00" in terminal.text
    assert "\x1b" not in terminal.text


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (20, 5), (200, 50)])
def test_no_frame_is_larger_than_the_terminal(tmp_path, columns, lines):
    terminal = Terminal(["run", "--epochs", "4", "--lr", "0.02"], tmp_path, columns=columns, lines=lines)
    assert terminal.finish() == 0
    assert "100%" in terminal.text
    # A frame is redrawn by moving up over the one before it: never further than the terminal is high.
    frames = terminal.text.split("\x1b[2K")
    longest = run = 0
    for piece in frames:
        run = run + 1 if piece == "\x1b[1A" else 0
        longest = max(longest, run)
    assert longest < lines


def test_a_failure_is_told_whole_below_the_picture(tmp_path):
    terminal = Terminal(["run", "--name", "fail"], tmp_path, columns=30)
    assert terminal.finish() == 1
    last = terminal.text.replace("\r", "").split("\x1b[?25h")[-1]
    assert last.splitlines()[0] == "#1 kaiming_uniform s0  failed: the data set is not there"
    assert "100%" not in last
    assert "validation accuracy" not in terminal.text.split("\x1b[1A")[-1]


def test_ctrl_c_stops_the_run_with_its_checkpoint(tmp_path):
    terminal = Terminal(["run", "--epochs", "500", "--lr", "0.01"], tmp_path)
    done = tmp_path / "runs.files" / "run-1" / "done.txt"
    terminal.read_until(done.exists)
    terminal.press(CTRL_C)
    assert terminal.finish() == 130
    assert "Traceback" not in terminal.text
    assert statuses(tmp_path) == ["cancelled"]
    assert int(done.read_text()) >= 1
    assert not processes_in(tmp_path)


def test_ctrl_c_before_the_run_has_begun(tmp_path):
    terminal = Terminal(["run", "--epochs", "500", "--lr", "0.01"], tmp_path)
    terminal.read_until(lambda: (tmp_path / "runs.db").exists() and statuses(tmp_path))
    terminal.press(CTRL_C)
    assert terminal.finish() == 130
    assert "Traceback" not in terminal.text
    assert statuses(tmp_path) == ["cancelled"]
    assert not processes_in(tmp_path)


def test_ctrl_c_twice_ends_a_run_that_does_not_listen(tmp_path):
    terminal = Terminal(["run", "--name", "deaf"], tmp_path)
    terminal.read_until((tmp_path / "runs.files" / "run-1" / "begun.txt").exists)
    terminal.press(CTRL_C)
    for _ in range(10):
        assert terminal.read(0.1)
    terminal.press(CTRL_C)
    assert terminal.finish(seconds=5) == 130
    assert "Ctrl-C again ends it at once" in terminal.text
    assert statuses(tmp_path) == ["cancelled"]
    assert not processes_in(tmp_path)


def test_ctrl_c_held_down_cancels_the_run_too(tmp_path):
    terminal = Terminal(["run", "--epochs", "500", "--lr", "0.01"], tmp_path)
    terminal.read_until((tmp_path / "runs.files" / "run-1" / "begun.txt").exists)
    terminal.press(CTRL_C * 10)
    assert terminal.finish(seconds=10) == 130
    assert "Traceback" not in terminal.text
    assert statuses(tmp_path) == ["cancelled"]
    assert not processes_in(tmp_path)


def test_a_terminal_that_is_closed_puts_the_run_back(tmp_path):
    terminal = Terminal(["run", "--epochs", "500", "--lr", "0.01"], tmp_path)
    terminal.read_until((tmp_path / "runs.files" / "run-1" / "done.txt").exists)
    terminal.close()
    eventually(lambda: not processes_in(tmp_path))
    assert statuses(tmp_path) == ["queued"]
