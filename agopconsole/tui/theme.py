"""The colours of the screen that belong to no method; those of words can be read on dark and on light."""

from __future__ import annotations

from textual.theme import Theme

from agopconsole.analysis.colours import WARNING

GOOD = "#2f9e44"
"""All is well: a worker is at work."""

CAUTION = "#b8801f"
"""What a reader should know of, and what is no disaster: at chance, no worker."""

SELECTED = "#56b4e9"
"""What the user has pointed at."""


def _theme(name: str, *, dark: bool, ground: str, panel: str, text: str, border: str, quiet: str) -> Theme:
    return Theme(
        name=name,
        dark=dark,
        primary=SELECTED if dark else "#0b6fae",
        secondary="#8878c8",
        accent="#e69f00" if dark else "#9a6a00",
        foreground=text,
        background=ground,
        surface=ground,
        panel=panel,
        success=GOOD,
        warning=CAUTION,
        error=WARNING,
        variables={"border": border, "footer-key-foreground": quiet, "footer-background": ground},
    )


DARK = _theme(
    "agopconsole", dark=True, ground="#14171b", panel="#1d2229", text="#d6d9de", border="#343b45", quiet="#8b95a3"
)
LIGHT = _theme(
    "agopconsole-light",
    dark=False,
    ground="#fbfaf7",
    panel="#eceae4",
    text="#22262b",
    border="#c4c0b6",
    quiet="#666d75",
)
