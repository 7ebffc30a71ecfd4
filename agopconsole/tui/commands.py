"""What can be done on a screen: its bindings are the one table that keys, command palette and help are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen

_ROOM = "agopconsole."
_KEY_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "plus": "+",
    "minus": "-",
    "colon": ":",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "full_stop": ".",
    "comma": ",",
    "less_than_sign": "<",
    "greater_than_sign": ">",
}


@dataclass(frozen=True)
class Command:
    """One thing that can be done.

    Attributes:
        node: the part of the screen that does it.
        keys: that do it, as a reader writes them.
        title: in a word or two.
        about: in a line.
        action: as Textual runs it.
    """

    node: DOMNode
    keys: str
    title: str
    about: str
    action: str


def commands(screen: Screen[object]) -> Iterator[Command]:
    """Everything that the app, the screen and the parts of it in sight can do, each once."""
    seen: set[tuple[type, str]] = set()
    for node in (screen, *screen.query("*"), screen.app):
        for kind in type(node).__mro__:
            if not kind.__module__.startswith(_ROOM):
                continue
            for binding in kind.__dict__.get("BINDINGS", ()):
                if isinstance(binding, Binding) and binding.description and (kind, binding.action) not in seen:
                    seen.add((kind, binding.action))
                    about = binding.tooltip or binding.description.lower()
                    yield Command(node, key_names(binding.key), binding.description, about, binding.action)


def key_names(keys: str) -> str:
    """The keys of a binding as a reader writes them."""
    return " ".join(_KEY_NAMES.get(key, key) for key in keys.split(","))
