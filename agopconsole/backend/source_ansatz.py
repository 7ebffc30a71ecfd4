"""The ansatz table of a source: its correlations layer by layer, and beside them those of its untrained start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from agopconsole.backend import data, devices
from agopconsole.backend.ansatz import beside_start, measure_ansatz
from agopconsole.backend.extract import nfm
from agopconsole.backend.layers import choose_slots
from agopconsole.backend.models import build_for_weights
from agopconsole.backend.places import Places
from agopconsole.backend.rng import stream
from agopconsole.backend.run import start_network
from agopconsole.backend.source_features import agop_outputs, sample_indices
from agopconsole.backend.sources import load_source
from agopconsole.backend.target import load_target
from agopconsole.metrics import LayerAnsatz
from agopconsole.spec import RunSpec


@dataclass(frozen=True, slots=True)
class Origin:
    """The run that trained a source, by which its start can be made again: its spec and where its files are."""

    spec: RunSpec
    places: Places


def source_ansatz(
    spec: RunSpec, places: Places, origin: Origin | None, *, report: data.Report = data.silent
) -> list[dict[str, Any]]:
    """The rows of the table, one a matrix of `spec.layers`, as `ansatz.beside_start` lays them out.

    Source and start are measured on the same `agop_images` training images of the data set. Without an origin the
    start is a fresh one of the same architecture, and nothing is known of how far the source has moved from its own.

    Args:
        spec: names source, data set, layers, images and outputs; its method needs the features of a source.
        places: where its files are.
        origin: the run that trained the source, None for ImageNet's weights and files.
        report: takes lines of progress.

    Raises:
        RequestError: if source, data set and layers do not fit.
        WorkError: if data or weights cannot be had.
    """
    device = devices.pick(spec.device)
    source = load_source(spec, places.source, places.data, mirror=places.mirror, report=report)
    network = source.network(with_head=True)
    layers = choose_slots(network, spec.layers)
    start = (
        start_network(origin.spec, origin.places, report=report)
        if origin
        else build_for_weights(source.model_name, source.weights.tensors)
    )
    assert start is not None  # the source has a head
    _, _, target = load_target(spec, places, report)
    size = source.image_size or spec.fed_size
    images = target.at(sample_indices(spec, target), image_size=size, device=device)

    def measured(model: nn.Module) -> tuple[LayerAnsatz, ...]:
        return measure_ansatz(
            model.to(device),
            images,
            initial=nfm(start.to(device)) if origin else None,
            outputs=agop_outputs(spec, source),
            layers=layers,
            generator=stream(spec.seed, "agop probes"),
        )

    return beside_start(measured(network), measured(start))
