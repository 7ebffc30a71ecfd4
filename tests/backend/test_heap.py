"""A process that keeps its memory: a tensor after another costs no page faults."""

import platform
import subprocess
import sys

import pytest

_FAULTS = """
import resource, sys
import torch
from agopconsole.backend.heap import keep_freed_memory

kept = keep_freed_memory() if sys.argv[1] == "keep" else None
for turn in range(10):
    if turn == 2:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.zeros(64 << 20, dtype=torch.uint8).add_(1)
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> tuple[str, int]:
    """What keeping said, and how many page faults eight tensors of 64 MiB cost."""
    command = [sys.executable, "-c", _FAULTS, how]
    said, count = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout.split()
    return said, int(count)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to")
def test_what_is_freed_is_handed_out_again():
    assert faults("keep")[0] == "True"
    assert 20 * faults("keep")[1] < faults("leave")[1]


def test_elsewhere_nothing_happens(monkeypatch):
    from agopconsole.backend import heap

    monkeypatch.setattr(sys, "platform", "win32")
    assert heap.keep_freed_memory() is False
