"""A number of things in words: `1 run`, `2 classes`, `12,000 runs`."""

from __future__ import annotations


def counted(count: int, what: str) -> str:
    """So many of what is named in the singular; of several words the last takes the plural."""
    if count == 1:
        return f"1 {what}"
    return f"{count:,} {what}{'es' if what.endswith('s') else 's'}"
