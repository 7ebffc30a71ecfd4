"""A number of things in words: `1 run`, `2 classes`, `3 studies`, `12,000 runs`."""

from __future__ import annotations

import re


def counted(count: int, what: str) -> str:
    """So many of what is named in the singular; of several words the last takes the plural."""
    return f"1 {what}" if count == 1 else f"{count:,} {_plural(what)}"


def _plural(what: str) -> str:
    if re.search("[^aeiou]y$", what):
        return f"{what[:-1]}ies"
    return f"{what}es" if what.endswith(("s", "x", "ch", "sh")) else f"{what}s"
