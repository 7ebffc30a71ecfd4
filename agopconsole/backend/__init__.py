"""The engine: feature matrices, initialisation, training; it knows nothing of store, queue or screen.

    from agopconsole.backend import FeatureMatrix, agop, initialize, nfm

The names are loaded when they are asked for, since the events of a run are read where torch is not wanted.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agopconsole.backend.counterparts import match_layers
    from agopconsole.backend.extract import agop, nfm
    from agopconsole.backend.feature_files import load_features, save_features
    from agopconsole.backend.feature_matrix import FeatureMatrix
    from agopconsole.backend.initialization import agop_, delta_orthogonal_, initialize, nfm_
    from agopconsole.backend.start import measure_start

__all__ = [
    "FeatureMatrix",
    "agop",
    "agop_",
    "delta_orthogonal_",
    "initialize",
    "load_features",
    "match_layers",
    "measure_start",
    "nfm",
    "nfm_",
    "save_features",
]

_HOMES = {
    "FeatureMatrix": "feature_matrix",
    "agop": "extract",
    "agop_": "initialization",
    "delta_orthogonal_": "initialization",
    "initialize": "initialization",
    "load_features": "feature_files",
    "match_layers": "counterparts",
    "measure_start": "start",
    "nfm": "extract",
    "nfm_": "initialization",
    "save_features": "feature_files",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'agopconsole.backend' has no attribute '{name}'")
    return getattr(import_module(f"agopconsole.backend.{_HOMES[name]}"), name)
