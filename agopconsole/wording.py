"""Words for a reader: a number of things (`1 run`, `3 studies`, `12,000 runs`), and text that is safe to print."""

from __future__ import annotations

import re

_ORDERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters but the line break and the tab."""


def counted(count: int, what: str) -> str:
    """So many of what is named in the singular; of several words the last takes the plural."""
    return f"1 {what}" if count == 1 else f"{count:,} {_plural(what)}"


def _plural(what: str) -> str:
    if re.search("[^aeiou]y$", what):
        return f"{what[:-1]}ies"
    if what.endswith("ix"):
        return f"{what[:-2]}ices"
    return f"{what}es" if what.endswith(("s", "x", "ch", "sh")) else f"{what}s"


def printable(text: str) -> str:
    """The text with a mark for each character that a terminal takes for an order; lines stay lines."""
    return _ORDERS.sub("\ufffd", text)
