"""What the global options say, as every command sees it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from agopconsole.store import Store

INTERRUPTED = 130
"""The exit status of a command that a signal put an end to."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The store and the folder of the data sets; None for the user's cache folder."""

    db: Path
    data_dir: Path | None

    @property
    def data(self) -> Path:
        """The folder of the data sets."""
        import platformdirs  # which most light commands never ask for

        return self.data_dir or Path(platformdirs.user_cache_dir("agopconsole")) / "data"

    def store(self, *, create: bool = False) -> Store:
        """Opens the store; use it as a context manager.

        Raises:
            RequestError: if it is missing (and not to be created) or cannot be used.
        """
        from agopconsole.store import Store

        return Store(self.db, create=create)

    @contextlib.contextmanager
    def store_if_any(self) -> Iterator[Store | None]:
        """The store, open, or None where there is none: asking is no reason to make one."""
        if not self.db.exists():
            yield None
            return
        with self.store() as store:
            yield store


def settings_of(context: typer.Context) -> Settings:
    """The settings that the global options left for a command."""
    settings = context.obj
    assert isinstance(settings, Settings)
    return settings
