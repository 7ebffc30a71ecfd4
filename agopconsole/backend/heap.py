"""Memory that a process of ours has once had stays its own: what one training step frees, the next one takes."""

from __future__ import annotations

import ctypes
import os
import sys

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""Names of glibc's mallopt(3)."""


def keep_freed_memory() -> bool:
    """Lets this process keep what it frees, in huge pages where the system has them.

    Left to itself, glibc gives every large tensor back to the system when it is freed, and the next one costs a page
    fault for each 4 KiB: a tenth of a step on small maps, more in a virtual machine. Meant for processes that end
    with their run.

    Returns:
        Whether the C library can; glibc's alone does.
    """
    if sys.platform != "linux":
        return False
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # torch looks when it makes its first large tensor
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_MAX, 0) and mallopt(_TRIM_THRESHOLD, 2**31 - 1))
