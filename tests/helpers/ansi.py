"""Text without the escape sequences of its colours."""

import re


def plain(text: str) -> list[str]:
    """Its lines."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text).split("\n")
