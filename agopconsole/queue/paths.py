"""The paths that a spec names: relative in the store, so that both move together, and absolute for the engine."""

from __future__ import annotations

from pathlib import Path

from agopconsole.spec import RunSpec


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
