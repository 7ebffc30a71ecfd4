"""The line of keys at the bottom of a screen: Textual's own, which lets go of the keys that it no longer shows."""

from __future__ import annotations

from textual.widgets import Footer


class KeyBar(Footer):
    """The keys of the screen, without that of the command palette, which has one like any other."""

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)

    async def recompose(self) -> None:
        """Shows other keys. Those that are gone still watch the bar, which lets go of them when told of a change."""
        await super().recompose()
        self.mutate_reactive(Footer.compact)
