"""The line of keys at the bottom of a screen: as many as have room, and always the one that tells the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

_BLANKS = 3
"""Around a key and its title, and between them."""


class KeyBar(Footer):
    """The keys of the screen, without that of the command palette, which has one like any other."""

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)

    def compose(self) -> ComposeResult:
        """The keys that fit; before the bar has a size, all of them."""
        keys = list(super().compose())
        yield from fitting(keys, self.size.width) if self.size.width else keys

    async def recompose(self) -> None:
        """Shows other keys. Those that are gone still watch the bar, which lets go of them when told of a change."""
        await super().recompose()
        self.mutate_reactive(Footer.compact)

    def on_resize(self) -> None:
        """Shows as many keys as there is room for now."""
        self.call_after_refresh(self.recompose)


def fitting(keys: Sequence[Widget], width: int) -> Iterator[Widget]:
    """The keys that find room in `width` columns: the first ones, and help wherever it stands."""
    left = width - sum(_columns(key) for key in keys if _is_help(key))
    for key in keys:
        if not _is_help(key):
            left -= _columns(key)
        if left >= 0 or _is_help(key):
            yield key


def _is_help(key: Widget) -> bool:
    return isinstance(key, FooterKey) and key.action == "help"


def _columns(key: Widget) -> int:
    return cell_len(key.key_display) + cell_len(key.description) + _BLANKS if isinstance(key, FooterKey) else 0
