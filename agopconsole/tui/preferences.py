"""What the user has set up to their liking, kept from one session to the next in the user's configuration folder."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from agopconsole.analysis import plots
from agopconsole.tui.columns import COLUMNS, USUAL
from agopconsole.tui.grid_shape import AUTO, is_shape


@dataclass(frozen=True)
class Preferences:
    """The choices.

    Attributes:
        columns: of the table, in order.
        grouped: by everything except the seed, or all runs one by one.
        charts: the plots of the charts, in order.
        grid: how many of them stand side by side and above one another, `2x1`; `auto` goes by the room.
        theme: `auto` goes by the terminal, `dark` and `light` do not.
        photo: the picture file whose feature maps were asked for last; empty before there was one.
    """

    columns: tuple[str, ...] = USUAL
    grouped: bool = True
    charts: tuple[str, ...] = plots.USUAL
    grid: str = AUTO
    theme: str = "auto"
    photo: str = ""


def usual_path() -> Path:
    """Where they are kept."""
    import platformdirs

    return Path(platformdirs.user_config_dir("agopconsole")) / "console.json"


def load(path: Path | None) -> Preferences:
    """Those kept at `path`; whatever of them cannot be used is as it usually is."""
    if path is None:
        return Preferences()
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Preferences()
    return _sound(kept) if isinstance(kept, dict) else Preferences()


def save(path: Path | None, preferences: Preferences) -> None:
    """Keeps them; a folder that cannot be written to is no reason to disturb anyone."""
    if path is None:
        return
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(preferences), indent=2), encoding="utf-8")


def _sound(kept: dict[str, Any]) -> Preferences:
    usual = asdict(Preferences())
    values = {f.name: kept.get(f.name, usual[f.name]) for f in fields(Preferences)}
    columns = values["columns"] if isinstance(values["columns"], list) else USUAL
    values["columns"] = tuple(key for key in columns if key in COLUMNS)
    charts = values["charts"] if isinstance(values["charts"], list) else []
    known = dict.fromkeys(name for name in charts if isinstance(name, str) and name in plots.PLOTS)
    values["charts"] = tuple(known) if len(known) == len(plots.USUAL) else plots.USUAL
    values["grid"] = values["grid"] if is_shape(values["grid"]) else AUTO
    values["grouped"] = bool(values["grouped"])
    if values["theme"] not in ("auto", "dark", "light"):
        values["theme"] = "auto"
    values["photo"] = values["photo"] if isinstance(values["photo"], str) else ""
    return Preferences(**values)
