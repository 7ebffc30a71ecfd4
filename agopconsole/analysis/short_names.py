"""Shorter and shorter names for the lines of a chart, as long as they tell the lines apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

_AT_CHANCE = re.compile(r"(, \d+)? at chance")
_REPEATS = re.compile(r" n=\d+")
_FIELD = re.compile(r"(?<= )\w+=")
_LETTERS = (6, 5, 4, 3)
"""How many letters of each word are left, one after the other."""

Names = list[str]


def short_names(labels: Sequence[str]) -> tuple[list[Names], list[Names]]:
    """The labels whole, then with fewer words; and then with shorter words, last their first words alone.

    `kaiming_nfm scale=poster n=3, 1 at chance` becomes `kaiming_nfm scale=poster n=3`, then the same without `n=3`,
    then `kaiming_nfm poster`; with shorter words `kaimin_nfm poster` and so on to `kai_nfm pos`. Numbers stay whole.
    """
    named: list[Names] = [list(labels)]
    for pattern in (_AT_CHANCE, _REPEATS, _FIELD):
        named.append([pattern.sub("", label) for label in named[-1]])
    words = named[-1]
    cut = [[_cut(label, letters) for label in words] for letters in _LETTERS]
    cut.append([label.split(" ")[0] for label in labels])
    many = len(set(labels))
    return [names for names in named if len(set(names)) == many], [names for names in cut if len(set(names)) == many]


def _cut(label: str, letters: int) -> str:
    """The label with so many letters of each word; if it is one word it may be as long as one of two."""
    room = 2 * letters + 1
    if label.isalpha() or len(label) <= room:
        return label[:room]
    return re.sub(rf"([^\W\d_]{{{letters}}})[^\W\d_]+", r"\1", label)
