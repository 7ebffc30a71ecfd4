"""Who owns a run: processes told apart across machines, reboots and reused process ids."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import psutil

from agopconsole.store import Owner

SILENT_SECONDS = 120.0
"""How long an owner on another machine, whom nothing but a heartbeat speaks for, may be silent."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_START_TOLERANCE = 5.0
"""Seconds; the start of a process is measured against a clock that may be set meanwhile."""


@cache
def boot_id() -> str:
    """What changes with every boot of this machine."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return f"{psutil.boot_time():.0f}"


def process_owner(pid: int | None = None) -> Owner | None:
    """The process of that id (default: this one) as an owner, or None if there is none."""
    try:
        process = psutil.Process(pid)
        return Owner(platform.node(), boot_id(), process.pid, process.create_time())
    except psutil.NoSuchProcess:
        return None


def is_alive(owner: Owner | None, heartbeat_at: str | None = None) -> bool:
    """Whether the owner of a run still runs.

    Of a process on another machine only its heartbeat tells; here the process itself does, however busy it is.
    """
    if owner is None:
        return False
    if owner.host != platform.node():
        return heartbeat_at is not None and _age(heartbeat_at) < SILENT_SECONDS
    if owner.boot_id != boot_id():
        return False
    try:
        process = psutil.Process(owner.pid)
        same = abs(process.create_time() - owner.pid_started) < _START_TOLERANCE
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _age(time: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(time)).total_seconds()
