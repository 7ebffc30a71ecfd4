"""How the screen words numbers, times and states: short, and the same in every place."""

from __future__ import annotations

import math

from agopconsole.analysis.estimate import duration as duration
from agopconsole.store import RunRecord

STATE_SIGNS: dict[str, str] = {
    "queued": "◌",
    "waiting": "◌",
    "running": "▶",
    "paused": "‖",
    "done": "✓",
    "failed": "✗",
    "cancelled": "-",
}
NO_VALUE = "-"

_SCALES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def accuracy(value: float | None) -> str:
    """Percent with one decimal."""
    return NO_VALUE if value is None or not math.isfinite(value) else f"{value:.1f}"


def signed(value: float | None) -> str:
    """A difference with its sign."""
    if value is None or not math.isfinite(value):
        return NO_VALUE
    return f"{value:+.2f}" if abs(value) < 1000 else f"{value:+.0e}"


def loss(value: float) -> str:
    """A loss with four decimals."""
    return f"{value:.4f}" if math.isfinite(value) else "✗"


def compact(value: float) -> str:
    """At most five characters and a sign, thousands and more by letter: 0.82, 31, 16k, 5.1M."""
    if not math.isfinite(value):
        return "✗"
    if value and not 1e-2 <= abs(value) < 999.5e12:
        return f"{value:.0e}"
    if 0 < abs(value) < 0.995:
        return f"{value:.2g}"
    scale, letter = next((step for step in _SCALES if abs(value) >= 0.9995 * step[0]), (1.0, ""))
    scaled = value / scale
    return f"{scaled:.1f}{letter}" if abs(scaled) < 9.95 else f"{scaled:.0f}{letter}"


def moment(time: str | None) -> str:
    """A time (UTC, ISO 8601) without year and milliseconds."""
    return NO_VALUE if time is None else f"{time[5:10]} {time[11:19]}"


def file_size(size: int) -> str:
    """A number of bytes in the unit that leaves at most four digits."""
    scaled, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if scaled < 1000:
            break
        scaled, unit = scaled / 1024, larger
    return f"{scaled:.0f} {unit}" if unit == "B" or scaled >= 10 else f"{scaled:.1f} {unit}"


def fate(run: RunRecord) -> str:
    """Why a run has no result to show, or an empty text if it has one or is on its way to it."""
    if run.diverged:
        return f"diverged, epoch {run.epoch + 1}"
    if run.status == "failed":
        return (run.error or "failed").splitlines()[0]
    if run.status == "waiting":
        return f"waits for #{run.source_run}"
    return run.status if run.status in ("queued", "cancelled", "paused") else ""
