"""Where a run finds and leaves its files; it needs no torch, since the queue decides it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

BEST_WEIGHTS = "best.safetensors"
"""In a run's folder: the weights of its best epoch, to read anywhere."""

FEATURES = "features"
"""Beside the runs' folders: the folder of extracted feature matrices, which all runs share."""

LAST_STATE = "last.pt"
"""In a run's folder: all that the run needs to go on after its last whole epoch."""


@dataclass(frozen=True, slots=True)
class Places:
    """The files and folders of one run.

    Attributes:
        run_files: folder of the run's checkpoints.
        features: folder of extracted feature matrices, shared by all runs.
        data: folder of the data sets and of ImageNet's weights.
        source: best weights of the run that trained the source, where the spec asks for one.
        mirror: a URL or folder to fetch from instead of the published addresses.
    """

    run_files: Path
    features: Path
    data: Path
    source: Path | None = None
    mirror: str | None = None
