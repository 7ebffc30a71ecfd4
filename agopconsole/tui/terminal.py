"""What the terminal is like: whether its ground is light, and whether it can show more than ASCII."""

from __future__ import annotations

import os
import re
import select
import sys
import time
from collections.abc import Mapping

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_PATIENCE_SECONDS = 0.2
_ANSWER = re.compile(rb"\x1b\]11;rgb:([0-9a-fA-F]+)/([0-9a-fA-F]+)/([0-9a-fA-F]+)")
_DEVICE_ATTRIBUTES = re.compile(rb"\x1b\[\?[\d;]*c")
_ASCII = str.maketrans(
    {
        **dict.fromkeys("─━═┄┈╌╍▔▁", "-"),
        **dict.fromkeys("│┃║▏▎▍▌▐▕┆┊", "|"),
        **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯╔╗╚╝╠╣╦╩╬┏┓┗┛┣┫┳┻╋", "+"),
        **dict.fromkeys("█▇▆▅▄▃▂▀▊▋▉■▙▚▛▜▞▟", "#"),
        **dict.fromkeys("▖▗▘▝░▒▓", ":"),
        **dict(zip("●○◌▶▸▾✓✗≈±·…Δ²▲▼‖—→←↑↓≤", "*oo>>vvx~+..d2^v=-><^v<", strict=True)),
        **dict(zip("◆◇△□", "&%A@", strict=True)),  # of the lines of a chart without colours
    }
)


def is_light(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the terminal's ground is light: by `COLORFGBG`, else by asking it; one that is silent is dark."""
    ground = environment.get("COLORFGBG", "").rpartition(";")[2]
    if ground.isdecimal():
        return int(ground) == 7 or 9 <= int(ground) <= 15
    answer = _asked()
    return answer is not None and answer > 0.5


def can_unicode(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the locale is one in which the terminal can be expected to show more than ASCII."""
    names = (environment.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next((name for name in names if name), "")
    if sys.platform in ("win32", "darwin"):
        return True
    return "utf" in locale.lower()


def luminance_of(answer: bytes) -> float | None:
    """The brightness, 0 to 1, of the ground that a terminal's answer to OSC 11 names."""
    match = _ANSWER.search(answer)
    if match is None:
        return None
    red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in match.groups())
    brightness: float = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return brightness


def _asked() -> float | None:
    """Asks for the ground's colour, and then for what all terminals answer, so as not to wait for a silent one."""
    try:
        import termios
        import tty

        number = sys.stdin.fileno()
        before = termios.tcgetattr(number)
    except (ImportError, OSError, ValueError, termios.error):
        return None
    answer = b""
    try:
        tty.setcbreak(number)
        sys.stdout.write("\x1b]11;?\x1b\\\x1b[c")
        sys.stdout.flush()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _DEVICE_ATTRIBUTES.search(answer) and (left := deadline - time.monotonic()) > 0:
            if select.select([number], [], [], left)[0]:
                answer += os.read(number, 1024)
    finally:
        termios.tcsetattr(number, termios.TCSANOW, before)
    return luminance_of(answer)


class AsciiFilter(LineFilter):
    """Draws every sign as one that ASCII has, of the same width."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments of a line."""
        del background
        return [Segment(ascii_text(text), style, control) for text, style, control in segments]


def ascii_text(text: str) -> str:
    """`text` with every sign that ASCII lacks drawn as one that it has."""
    if text.isascii():
        return text
    drawn = text.translate(_ASCII)
    # Braille, of which curves are made, by how full the cell is.
    return "".join(
        c if c.isascii() else " " if c == "\u2800" else "*" if "\u2800" < c < "\u2900" else "?" for c in drawn
    )
