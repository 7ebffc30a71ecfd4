"""The feature matrices of a source as a file of their own, with what they were computed from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

import agopconsole
from agopconsole.backend import data, devices
from agopconsole.backend.extract import nfm
from agopconsole.backend.feature_files import fitted, load_features, save_features
from agopconsole.backend.layers import choose_slots
from agopconsole.backend.models import build_model
from agopconsole.backend.places import Places
from agopconsole.backend.source_features import agop_outputs, sample_indices, source_features
from agopconsole.backend.sources import load_source
from agopconsole.backend.target import load_target
from agopconsole.spec import RunSpec


def extract_source(
    spec: RunSpec, places: Places, out: Path, *, half: bool = False, report: data.Report = data.silent
) -> list[str]:
    """Writes the matrices of `spec.layers` that the method of `spec` draws from; returns their keys.

    Args:
        spec: names the source and, for an AGOP, data set, images and outputs.
        places: where its files are.
        out: the file.
        half: write factors in float16, as `save_features` does.
        report: takes lines of progress.

    Raises:
        RequestError: if source, data set and layers do not fit.
        WorkError: if data or weights cannot be had, or the file cannot be written.
    """
    source = load_source(spec, places.source, places.data, mirror=places.mirror, report=report)
    facts: dict[str, Any] = {
        "kind": spec.method.features,
        "source": source.title,
        "source_digest": source.digest,
        "model": source.model_name,
        **_versions(),
    }
    network = source.network(with_head=spec.method.features == "agop")
    layers = choose_slots(network, spec.layers)
    if spec.method.features == "nfm":
        matrices = nfm(network)
    else:
        _, _, target = load_target(spec, places, report)
        facts |= {
            "dataset": spec.dataset,
            "data_origin": target.origin,
            "images": len(sample_indices(spec, target)),
            "outputs": agop_outputs(spec, source),
            "power": spec.agop_power,
            "seed": spec.seed,
        }
        device = devices.pick(spec.device)
        matrices, _ = source_features(
            spec, source, target, layers=layers, device=device, folder=places.features, report=report
        )
    chosen = {key: matrix for key, matrix in matrices.items() if key.partition("[")[0] in layers}
    save_features(out, chosen, facts, half=half)
    return list(chosen)


def extract_csv(model: str, folder: Path, out: Path) -> list[str]:
    """Writes the matrices of a folder of CSV files as those of a model's convolutions; returns their keys.

    Raises:
        RequestError: if the folder holds no feature matrices, or they do not fit the model.
    """
    network = build_model(model, classes=2, image_size=32)
    matrices = fitted(load_features(folder), network)
    save_features(out, matrices, {"kind": "csv", "source": folder.name, "model": model, **_versions()})
    return list(matrices)


def _versions() -> dict[str, str]:
    return {"agopconsole": agopconsole.__version__, "torch": torch.__version__}
