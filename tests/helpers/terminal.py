"""A command in a pseudo-terminal of its own, as a person would start it."""

import contextlib
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

from helpers.processes import TESTS


class Terminal:
    """Runs the command line (with the fake engine) in a terminal of `columns` x `lines`."""

    def __init__(self, arguments, folder, *, columns=120, lines=40, fake=True, **environment):
        variables = {
            **os.environ,
            "PYTHONPATH": str(TESTS),
            "TERM": "xterm-256color",
            "AGOPCONSOLE_TUI_WORKER": "0",
            **environment,
        }
        for name in ("NO_COLOR", "COLUMNS", "LINES"):
            if name not in environment:
                variables.pop(name, None)
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
            module = "helpers.fake_cli" if fake else "agopconsole"
            os.execve(sys.executable, [sys.executable, "-m", module, *arguments], variables)
        self.output = b""

    def press(self, keys):
        os.write(self._master, keys)

    def read(self, seconds=0.05):
        """Takes in what is there within that time; False once the command has closed its end."""
        with contextlib.suppress(OSError):
            if not select.select([self._master], [], [], seconds)[0]:
                return True
            piece = os.read(self._master, 65536)
            self.output += piece
            return bool(piece)
        return False

    def read_until(self, condition, seconds=15.0):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.text
            assert self.read(), self.text

    def finish(self, seconds=30.0):
        """Waits for the end and returns the exit status."""
        deadline = time.monotonic() + seconds
        while self.read():
            assert time.monotonic() < deadline, self.text
        _, status = os.waitpid(self.pid, 0)
        os.close(self._master)
        return os.waitstatus_to_exitcode(status)

    def close(self):
        """Closes the terminal's window."""
        os.close(self._master)
        os.waitpid(self.pid, 0)

    @property
    def text(self):
        return self.output.decode(errors="replace")  # what was read may end within a character
