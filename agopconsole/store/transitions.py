"""The states of a run, and the ways from one to another; every change of a status goes by this table."""

from __future__ import annotations

from collections.abc import Mapping

from agopconsole.catalogue import STATUSES

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "queued": frozenset({"running", "paused", "failed", "cancelled"}),
    "waiting": frozenset({"queued", "paused", "failed", "cancelled"}),
    "running": frozenset({"queued", "paused", "done", "failed", "cancelled"}),
    "paused": frozenset({"queued", "waiting", "cancelled"}),
    "done": frozenset(),
    "failed": frozenset({"queued", "waiting"}),
    "cancelled": frozenset({"queued", "waiting"}),
}
"""For each status those that may follow. What is done stays done: other runs may rest on it."""


def before(status: str) -> list[str]:
    """The statuses that `status` may follow."""
    return [earlier for earlier in STATUSES if status in TRANSITIONS[earlier]]
