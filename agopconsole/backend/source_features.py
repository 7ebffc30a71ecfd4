"""The feature matrices of a source: computed once, cached as a file, keyed by what they were computed from."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from agopconsole.backend.data import Images, Pictures, Report
from agopconsole.backend.events import FeaturesReady
from agopconsole.backend.extract import ALL, agop, nfm
from agopconsole.backend.feature_files import load_features, save_features
from agopconsole.backend.feature_matrix import FeatureMatrix
from agopconsole.backend.layers import weight_slots
from agopconsole.backend.rng import stream
from agopconsole.backend.sources import Source
from agopconsole.spec import AUTO, RunSpec

EXACT_OUTPUTS = 32
"""A head of up to that many outputs gets its exact AGOP unless the run says otherwise; a larger one, probes."""


@dataclass(frozen=True, slots=True)
class TargetImages:
    """The target's training images, from which the AGOP's unlabelled sample is taken.

    Attributes:
        images: the training set.
        indices: its training split.
        mean, std: of that split, a channel.
        origin: of the data set.
    """

    images: Images
    indices: Tensor
    mean: Tensor
    std: Tensor
    origin: str

    def at(self, chosen: Tensor, *, image_size: int, device: torch.device) -> Tensor:
        """The images `chosen`, standardised, shape (n, 3, image_size, image_size)."""
        pictures = Pictures(self.images, device=device, image_size=image_size, mean=self.mean, std=self.std)
        return pictures.batch(chosen)[0]


def sample_indices(spec: RunSpec, target: TargetImages) -> Tensor:
    """The `agop_images` training images that the AGOP is averaged over, chosen by the run's seed."""
    order = torch.randperm(len(target.indices), generator=stream(spec.seed, "agop sample"))
    return target.indices[order[: spec.agop_images]]


def source_features(
    spec: RunSpec,
    source: Source,
    target: TargetImages,
    *,
    layers: Collection[str],
    device: torch.device,
    folder: Path,
    report: Report,
) -> tuple[dict[str, FeatureMatrix], FeaturesReady | None]:
    """The matrices that `spec` draws from, and what is new in the cache (None: nothing).

    The NFM is the weights themselves and needs no cache. The AGOP is taken through the source's own head, at the size
    it was trained at, over `agop_images` of the target's training images, chosen by the run's seed, and only for
    those of `layers` that the source has: a wide head would cost more than all other layers together.

    Raises:
        RequestError: if the source does not hold what the matrices are computed from.
    """
    if spec.method.features == "nfm":
        network = source.network(with_head=False)
        # What the source does not hold, its network has drawn at random.
        held = {key for slot in weight_slots(network).values() if source.holds(slot) for key in slot.keys}
        return {key: matrix for key, matrix in nfm(network).items() if key in held}, None
    network = source.network(with_head=True).to(device)
    chosen = sample_indices(spec, target)
    size = source.image_size or spec.fed_size
    outputs = agop_outputs(spec, source)
    wanted = [name for name in weight_slots(network) if name in layers]
    facts = {
        "kind": "agop",
        "source": source.title,
        "source_digest": source.digest,
        "model": source.model_name,
        "dataset": spec.dataset,
        "data_origin": target.origin,
        "images_digest": hashlib.sha256(chosen.numpy().tobytes()).hexdigest()[:16],
        "images": len(chosen),
        "image_size": size,
        "outputs": outputs,
        "power": spec.agop_power,
        "seed": spec.seed,
        "layers": wanted,
    }
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    path = folder / f"agop-{key}.safetensors"
    if path.is_file():
        return load_features(path), None
    began = time.perf_counter()
    matrices = agop(
        network,
        target.at(chosen, image_size=size, device=device),
        outputs,
        spec.agop_power,
        layers=wanted,
        generator=stream(spec.seed, "agop probes"),
        progress=lambda done, whole: report(f"AGOP of {source.title}: {done} of {whole} images"),
    )
    save_features(path, matrices, facts)
    errors = [m.relative_error for m in matrices.values() if m.relative_error is not None]
    return matrices, FeaturesReady(
        key=key,
        kind="agop",
        source=source.title,
        model=source.model_name,
        dataset=spec.dataset,
        images=len(chosen),
        outputs=str(outputs),
        relative_error=max(errors, default=None),
        layers=len(matrices),
        seconds=time.perf_counter() - began,
        file=path.name,
    )


def agop_outputs(spec: RunSpec, source: Source) -> int | str:
    """All outputs, or a number of probes."""
    if spec.agop_outputs == ALL:
        return ALL
    if spec.agop_outputs != AUTO:
        return int(spec.agop_outputs)
    return ALL if source.outputs <= EXACT_OUTPUTS else EXACT_OUTPUTS
