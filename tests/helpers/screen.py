"""The command line in a terminal whose screen can be read: a pseudo-terminal, and pyte to understand it."""

import re
import time

import pyte
from helpers.terminal import Terminal

KEYS = {
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "tab": b"\t",
    "enter": b"\r",
    "escape": b"\x1b",
    "f2": b"\x1bOQ",
}


class Screen(Terminal):
    """What a person who has typed the command would see."""

    def __init__(self, arguments, folder, *, columns=120, lines=40, **options):
        super().__init__(arguments, folder, columns=columns, lines=lines, **options)
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._taken = 0

    @property
    def shown(self):
        """The lines of the screen."""
        # A mode of DEC that pyte takes for the attributes of text of the same number.
        self._stream.feed(re.sub(rb"\x1b\[[<>=][\d;]*[a-z]", b"", self.output[self._taken :]))
        self._taken = len(self.output)
        return "\n".join(line.rstrip() for line in self._screen.display)

    def sees(self, words, seconds=60.0):
        """Waits until the words are on the screen, or what is on it fulfils a condition."""
        holds = words if callable(words) else lambda shown: words in shown
        deadline = time.monotonic() + seconds
        while not holds(self.shown):
            assert time.monotonic() < deadline, f"{words} is not on the screen:\n{self.shown}"
            assert self.read(), self.text
        return self.shown

    def press(self, *keys):
        """Types keys, one after another; what is no name of a key is typed as it is."""
        for key in keys:
            super().press(KEYS.get(key) or key.encode())
