"""Where files lie unless the user says otherwise."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def default_data_dir() -> Path:
    """The folder of the data sets: `data` in the user's cache folder."""
    return Path(platformdirs.user_cache_dir("agopconsole")) / "data"
