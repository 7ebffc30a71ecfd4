"""Safetensors files read with NumPy alone, for a screen that must not wait for torch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agopconsole.errors import RequestError


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A safetensors file, whose errors are told in one line."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except (OSError, SafetensorError, ValueError, TypeError, KeyError) as error:
        raise RequestError(f"'{path}' cannot be read: {error}") from None


def facts_of(file: Any) -> dict[str, Any]:
    """What an open file of ours says of itself."""
    return {name: json.loads(value) for name, value in (file.metadata() or {}).items()}
