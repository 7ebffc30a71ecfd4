"""The colours of the screen that belong to no method."""

from __future__ import annotations

from textual.theme import Theme

from agopconsole.analysis.colours import WARNING

GOOD = "#3fb950"
"""All is well: a worker is at work."""

CAUTION = "#d9a13b"
"""What a reader should know of, and what is no disaster: at chance, no worker."""

SELECTED = "#56b4e9"
"""What the user has pointed at."""

_GROUND = "#14171b"

THEME = Theme(
    name="agopconsole",
    primary=SELECTED,
    secondary="#8878c8",
    accent="#e69f00",
    foreground="#d6d9de",
    background=_GROUND,
    surface=_GROUND,
    panel="#1d2229",
    success=GOOD,
    warning=CAUTION,
    error=WARNING,
    variables={"border": "#343b45", "footer-key-foreground": "#8b95a3", "footer-background": _GROUND},
)
