"""The Neural Feature Ansatz, layer by layer: how far the NFM of a network is its AGOP, and still that of its start.

NFM and AGOP both contain W, so they correlate in a network that was never trained, too: a claim that training brings
them together needs the same numbers of the start beside it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from agopconsole.backend.extract import ALL, agop, nfm
from agopconsole.backend.feature_matrix import FeatureMatrix
from agopconsole.metrics import LayerAnsatz


def measure_ansatz(
    model: nn.Module,
    images: Tensor,
    *,
    initial: Mapping[str, FeatureMatrix] | None = None,
    outputs: int | str = ALL,
    layers: Collection[str] | None = None,
    generator: torch.Generator | None = None,
) -> tuple[LayerAnsatz, ...]:
    """The three correlations of the ansatz (Radhakrishnan et al. 2024; the root: Beaglehole et al. 2023).

    Args:
        model: maps images to outputs of shape (n, K); it is left exactly as it was.
        images: shape (n, ...), on the model's device.
        initial: the NFMs that the network started from, as `nfm` gives them; None where its start is not known.
        outputs: of the AGOP, as `agop` takes them.
        layers: module names of the layers that are wanted; None for all.
        generator: draws the probes where `outputs` is a number.

    Returns:
        One record a matrix, in the order of the network; NaN where a matrix is constant or the start is not known.

    Raises:
        ValueError: as `agop`, or if a matrix of the start has another dimension than the network's.
    """
    now = nfm(model)
    gradients = agop(model, images, outputs, layers=layers, generator=generator)
    return tuple(
        LayerAnsatz(
            layer=name,
            nfm_agop=now[name].correlation(matrix),
            nfm_agop_sqrt=now[name].correlation(matrix.power(0.5)),
            nfm_initial_nfm=now[name].correlation(initial[name]) if initial else math.nan,
        )
        for name, matrix in gradients.items()
    )


def beside_start(trained: Sequence[LayerAnsatz], start: Sequence[LayerAnsatz]) -> list[dict[str, Any]]:
    """One row a layer: the three correlations, and with `start_` before their names those of the untrained start."""
    before = {record.layer: record for record in start}
    names = ("nfm_agop", "nfm_agop_sqrt", "nfm_initial_nfm")
    return [
        {
            "layer": record.layer,
            **{name: getattr(record, name) for name in names},
            **{f"start_{name}": getattr(before[record.layer], name) for name in names},
        }
        for record in trained
    ]
