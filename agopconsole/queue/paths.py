"""Where files lie: the paths of a spec, kept in a form that outlives a move of the store, and those of a run."""

from __future__ import annotations

from pathlib import Path

from agopconsole.spec import RunSpec
from agopconsole.store import Store

_BEST = "best.safetensors"


def portable(spec: RunSpec, store: Path) -> RunSpec:
    """The spec as the store keeps it: paths absolute, but relative to the store's folder where they lie inside it."""
    folder = store.resolve().parent

    def move(path: Path) -> Path:
        path = path.resolve()
        return path.relative_to(folder) if path.is_relative_to(folder) else path

    return spec.relocate(move)


def located(spec: RunSpec, store: Path) -> RunSpec:
    """The spec as the engine needs it: every path absolute."""
    folder = store.resolve().parent
    return spec.relocate(lambda path: folder / path)


def best_weights(store: Store, run_id: int) -> Path:
    """The weights of a run's best epoch."""
    return store.run_files(run_id).resolve() / _BEST
