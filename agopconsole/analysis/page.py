"""The text that a chart is written into: its size, and what the terminal can show."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from agopconsole.analysis.colours import GREY, to_rgb

Parts = Sequence[tuple[str, str | None]]
"""Texts and their colours, "#rrggbb" or None."""

_SYMBOLS, _ASCII_SYMBOLS = "●◆▲■○◇△□", "o*+%&@=#"
_DOTS, _ASCII_DOTS = "·", ":"
_ASCII = str.maketrans(
    {
        **dict.fromkeys("│┤├", "|"),
        **dict.fromkeys("└┬┴┼", "+"),
        "─": "-",
        "✗": "X",
        "▲": "^",
        "▼": "v",
        "░": ".",
        "·": ":",
        "…": ".",
        "±": "+-",
        "≤": "<=",
    }
)
_GAP = 2
"""Columns between two entries of a line."""


class Page:
    """So many lines of so many columns.

    Args:
        width: in columns.
        height: in lines.
        colour: whether to use escape sequences.
        unicode: whether to use characters outside ASCII.
    """

    def __init__(self, width: int, height: int, colour: bool, unicode: bool) -> None:
        self.width, self.height = width, height
        self.colour, self.unicode = colour, unicode

    def symbols(self, dotted: Sequence[bool]) -> list[str]:
        """For each line of the chart the sign that it is known by; with colour all whole lines share one."""
        dots = _DOTS if self.unicode else _ASCII_DOTS
        if self.colour and self.unicode:
            return [dots if is_dotted else "■" for is_dotted in dotted]
        symbols = _SYMBOLS if self.unicode else _ASCII_SYMBOLS
        return [symbols[i % len(symbols)] for i in range(len(dotted))]

    def markers(self, symbols: Sequence[str]) -> list[str]:
        """For each line of the chart the character that it is drawn with, or "" for fine braille dots."""
        return ["" if symbol == "■" and self.colour and self.unicode else symbol for symbol in symbols]

    def fit(self, text: str) -> str:
        """`text` with whatever would break a line or cannot be shown written otherwise."""
        text = "".join(c if c.isprintable() else " " for c in text)
        return text if self.unicode else text.translate(_ASCII).encode("ascii", "replace").decode()

    def line(self, parts: Parts) -> str:
        """One line of these texts, cut or filled up to the width of the page."""
        left, out = self.width, ""
        for text, tint in parts:
            text = self.fit(text)
            if cell_len(text) > left:
                text = set_cell_size(text, max(left - 1, 0)) + self.fit("…")[:left]
            left -= cell_len(text)
            painted = tint and self.colour and text
            out += "\x1b[38;2;{};{};{}m{}\x1b[0m".format(*to_rgb(tint), text) if painted and tint else text
        return out + " " * left

    def flow(self, entries: Sequence[Parts], most: int) -> tuple[list[str], int]:
        """Entries side by side in at most `most` lines; and how many found no room.

        Those that are left out are counted in the last line, too; one that is longer than a line is cut.
        """
        lines: list[list[tuple[str, str | None]]] = [[]]
        used = cut = 0
        for i, entry in enumerate(entries):
            width = self.width_of(entry)
            more = f"+{len(entries) - i} more"
            reserve = _GAP + len(more) if len(lines) == most and i < len(entries) - 1 else 0
            if lines[-1] and used + _GAP + width + reserve > self.width:
                if len(lines) == most:
                    lines[-1] += [(" " * _GAP + more, GREY)]
                    return [self.line(line) for line in lines], len(entries) - i + cut
                lines.append([])
                used = 0
            if lines[-1]:
                lines[-1].append((" " * _GAP, None))
                used += _GAP
            lines[-1] += entry
            used += width
            cut += width > self.width
        return [self.line(line) for line in lines], cut

    def pack(self, entries: Sequence[Parts]) -> list[int]:
        """An order in which the entries flow into fewer lines: wide ones first, each into the first line with room.

        Lines, and the entries of a line, keep the order of the entries as far as that leaves it.
        """
        widths = [self.width_of(entry) for entry in entries]
        lines: list[list[int]] = []
        for i in sorted(range(len(entries)), key=lambda i: -widths[i]):
            fitting = (line for line in lines if sum(widths[j] + _GAP for j in line) + widths[i] <= self.width)
            line = next(fitting, None)
            if line is None:
                lines.append([i])
            else:
                line.append(i)
        return [i for line in sorted(map(sorted, lines)) for i in line]

    def width_of(self, entry: Parts) -> int:
        """Columns that an entry takes."""
        return cell_len("".join(self.fit(text) for text, _ in entry))

    def join(self, lines: Sequence[str]) -> str:
        """The page of these lines, cut or filled up to its height."""
        blank = " " * self.width
        lines = lines if self.unicode else [line.translate(_ASCII) for line in lines]
        return "\n".join([*lines[: self.height], *[blank] * (self.height - len(lines))])
