"""One run from its spec to its last event: data, source, features, start, training."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torchvision
from torch import nn

import agopconsole
from agopconsole.backend import data, devices, source_report
from agopconsole.backend.counterparts import match_layers
from agopconsole.backend.events import Event, FeaturesReady, Note, OutOfMemoryError, Setup, Started, StoppedError
from agopconsole.backend.initialization import initialize
from agopconsole.backend.layers import choose_slots
from agopconsole.backend.models import build_model
from agopconsole.backend.places import Places
from agopconsole.backend.precision import pick_precision
from agopconsole.backend.rng import stream
from agopconsole.backend.source_features import TargetImages, source_features
from agopconsole.backend.sources import Source, load_source
from agopconsole.backend.start import measure_start
from agopconsole.backend.target import load_target
from agopconsole.backend.train import Trainable, train
from agopconsole.errors import RequestError
from agopconsole.metrics import LayerStart
from agopconsole.spec import RunSpec
from agopconsole.wording import counted

START_BATCH = 64
"""Images that the start is measured on."""

START_IMAGES = 300
"""Images that the scale `lsuv` and the bases `centred`, `centred_rotated` and `aligned` are built on."""

_NO_MEMORY = ("out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")
"""How the driver, MPS and the libraries say it, in plainer errors than torch's own."""


def execute(
    spec: RunSpec,
    places: Places,
    *,
    should_stop: Callable[[], bool],
    report: data.Report = data.silent,
    micro_batch: int | None = None,
) -> Iterator[Event]:
    """Runs `spec` and yields what happens, from its set-up to `Finished`.

    Args:
        spec: the run.
        places: where its files are.
        should_stop: asked at every step.
        report: takes lines of progress (downloads, decoding, extraction) while nothing can be yielded.
        micro_batch: how many images go through the network at once; None for a whole batch.

    Raises:
        RequestError: if the spec does not fit what it meets: the device, the data set's classes, the source's layers.
        WorkError: if data or weights cannot be had, the run diverged (`DivergedError`) or stopped (`StoppedError`),
            or the device's memory did not hold it (`OutOfMemoryError`).
    """
    try:
        yield from _execute(spec, places, should_stop, report, micro_batch)
    except RuntimeError as error:
        cause = _lack_of_memory(error)
        if cause is None:
            raise
        reason = str(cause).partition(". ")[0].splitlines()[0]
        raise OutOfMemoryError(f"the device's memory is too small: {reason}") from None


def _lack_of_memory(error: BaseException) -> BaseException | None:
    """The error that says so: it, or one that it came after, as where the recording of a graph breaks off."""
    while not isinstance(error, torch.OutOfMemoryError) and not any(text in str(error) for text in _NO_MEMORY):
        if error.__context__ is None:
            return None
        error = error.__context__
    return error


def _execute(
    spec: RunSpec, places: Places, should_stop: Callable[[], bool], report: data.Report, micro_batch: int | None
) -> Iterator[Event]:
    ready, happened = _prepare(spec, places, report)
    yield from happened
    if should_stop():
        raise StoppedError("stopped before the first step")
    yield Started(_start(ready, micro_batch))
    yield from train(spec, ready, places.run_files, should_stop, micro_batch=micro_batch)


def measure_spec(spec: RunSpec, places: Places, *, report: data.Report = data.silent) -> tuple[LayerStart, ...]:
    """The start of the network that `spec` describes, layer by layer, without training it.

    Raises:
        RequestError: as `execute`.
        WorkError: as `execute`, before its first step.
    """
    ready, happened = _prepare(spec, places, report)
    for event in happened:
        if isinstance(event, Note):
            report(event.message)
    return _start(ready, None)


def start_network(spec: RunSpec, places: Places, *, report: data.Report = data.silent) -> nn.Module:
    """The network that `spec` describes as it was before its first step, on the spec's device.

    Raises:
        RequestError: as `execute`.
        WorkError: as `execute`, before its first step.
    """
    return _prepare(spec, places, report)[0].model


def _start(ready: Trainable, micro_batch: int | None) -> tuple[LayerStart, ...]:
    """Measured on no more images than are to go through the network at once, but on two at least."""
    count = START_BATCH if micro_batch is None else max(2, min(START_BATCH, micro_batch))
    images, labels = ready.pictures.batch(ready.train[:count])
    return measure_start(ready.model, images, labels)


def _prepare(spec: RunSpec, places: Places, report: data.Report) -> tuple[Trainable, list[Event]]:
    """Everything that a run has at hand before its first step, and what happened on the way."""
    device = devices.pick(spec.device)
    precision = pick_precision(spec.precision, device)
    dataset, split, target = load_target(spec, places, report)
    classes, size = len(dataset.classes), spec.fed_size
    tests = len(dataset.test.labels) if dataset.test else 0
    happened: list[Event] = [
        Setup(str(device), dataset.origin, _environment(device) | {"precision": precision.name}),
        Note(
            f"{len(split.train)} training, {len(split.val)} validation and {counted(tests, 'test image')} of"
            f" {classes} classes, fed at {size} px"
        ),
    ]
    if precision.reason:
        happened.append(Note(f"precision {precision.name}: {precision.reason}"))
    model = build_model(spec.model, classes=classes, image_size=size, seed=spec.seed)
    happened += _initialize(spec, model, target, places, device, report)
    ready = Trainable(
        model=model.to(device),
        device=device,
        pictures=data.Pictures(dataset.train, device=device, image_size=size, mean=target.mean, std=target.std),
        train=split.train,
        validation=split.val,
        test=data.Pictures(dataset.test, device=device, image_size=size, mean=target.mean, std=target.std)
        if dataset.test
        else None,
        classes=dataset.classes,
    )
    return ready, happened


def _initialize(
    spec: RunSpec,
    model: nn.Module,
    target: TargetImages,
    places: Places,
    device: torch.device,
    report: data.Report,
) -> list[Event]:
    """Starts the layers under test; what happened on the way."""
    method = spec.method
    happened: list[Event] = []
    layers = choose_slots(model, spec.layers)
    features, weights, images, source_network, counterparts = None, None, None, None, None
    if method.needs_source:
        source = load_source(spec, places.source, places.data, mirror=places.mirror, report=report)
        weights = source.weights.tensors
        happened.append(Note(f"source {source.title}: a {source.model_name}, digest {source.digest}"))
        if source.model_name != spec.model:
            counterparts = _counterparts(spec, model, source)
            happened.append(Note(source_report.matched_in_words(counterparts, layers)))
    if method.needs_features:
        features, extracted = source_features(
            spec,
            source,
            target,
            layers=layers if counterparts is None else {counterparts.get(name, "") for name in layers},
            device=device,
            folder=places.features,
            report=report,
        )
        happened += [extracted] if isinstance(extracted, FeaturesReady) else []
    if method.needs_images:
        order = torch.randperm(len(target.indices), generator=stream(spec.seed, "start"))[:START_IMAGES]
        images = target.at(target.indices[order], image_size=spec.fed_size, device=torch.device("cpu"))
    if method.basis == "aligned":
        source_network = source.network(with_head=False, fed_at=spec.fed_size)
    started = initialize(
        model,
        method,
        features=features,
        weights=weights,
        images=images,
        source=source_network,
        counterparts=counterparts,
        layers=spec.layers,
        seed=spec.seed,
        fallback=spec.fallback,
    )
    if weights is not None:
        sorted_out = source_report.tensors_taken(weights, model, method, spec.layers, started, counterparts)
        happened.append(Note(source_report.in_words(sorted_out)))
    unfit = [name for name, how in started.items() if how == spec.fallback]
    if unfit:
        happened.append(Note(f"the source does not fit {', '.join(unfit)}: started by {spec.fallback}", "warning"))
    return happened


def _counterparts(spec: RunSpec, model: nn.Module, source: Source) -> dict[str, str]:
    """The layers of a source of another network by those of the run's."""
    try:
        return match_layers(model, source.blueprint, spec.layers, partial=spec.fallback is not None)
    except RequestError as error:
        raise RequestError(
            f"source '{source.title}' is a {source.model_name}, the run's network a {spec.model}: {error}"
        ) from None


def _environment(device: torch.device) -> dict[str, Any]:
    """The versions and the machine behind a run's numbers."""
    return {
        "agopconsole": agopconsole.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "cuda": torch.version.cuda if device.type == "cuda" else None,
        "platform": platform.platform(),
        "threads": torch.get_num_threads(),
        "hardware": devices.hardware(device),
    }
