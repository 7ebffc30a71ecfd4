"""One run seed, split into independent streams, so that changing one draw never changes another.

Every stream is a CPU generator: a run draws the same numbers on every device.
"""

from __future__ import annotations

import hashlib

import torch


def stream_seed(seed: int, *names: str | int) -> int:
    """A 63-bit seed for the stream of that name, independent of every other name's."""
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def stream(seed: int, *names: str | int) -> torch.Generator:
    """A generator of its own for one purpose, as in `stream(seed, "order", epoch)`."""
    return torch.Generator().manual_seed(stream_seed(seed, *names))
