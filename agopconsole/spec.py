"""What one run is: its fields, and what they must have in common.

A `RunSpec` comes from TOML or the command line (`RunSpec.parse`), goes into the store as JSON and is all that the
engine needs to repeat the run. The fields carry their own help, choices and bounds: the command line's options and
the TOML keys are generated from them, so neither can drift from the other.
"""

from __future__ import annotations

import hashlib
import json
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import Field, asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from agopconsole import catalogue, methods
from agopconsole.errors import RequestError, unknown_choice
from agopconsole.spec_fields import checked, option, parse_numbers
from agopconsole.wording import counted

AUTO = "auto"
NOISE = "noise"
"""The source that is none: its features are isotropic, so that a first round is the twin of what follows."""
SOURCE_KINDS = "imagenet, run:ID, dataset:NAME, dataset:NAME:0-4, noise, or a path to .safetensors, .pt or .pth"
SOURCE_NAME = "source "
"""How the name of a run begins that the console adds to train a source for others."""
MOST_ROUNDS = 100
"""Each round is trained after the one before it; nobody waits for more."""
CHECKPOINT_SUFFIXES = (".safetensors", ".pt", ".pth")


_OF_TRAINED_SOURCE = ("source_epochs", "source_optimizer", "source_lr", "source_seed")
"""Fields that say how a source of the kind `dataset:` is trained."""

_YOUNGER = ("ansatz_epochs", "round", "source_model")
"""Fields that were added when there were stores already."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSpec:
    """One training run, whole: the same spec gives the same numbers.

    Build it with `parse`, which checks every field; the constructor checks nothing.
    """

    model: str = option("vgg11", "network", choices=catalogue.MODELS)
    dataset: str = option("digits", "data set: a name, or imagefolder:PATH")
    init: str = option("kaiming_uniform", "initialisation of the layers under test", choices=methods.METHODS)
    source: str = option("imagenet", f"where trained weights come from: {SOURCE_KINDS}")
    source_model: str | None = option(
        None,
        "network of the source, where it is not the run's: layers are matched by order "
        "(default: the one that its file says or holds, else the run's)",
        choices=catalogue.MODELS,
    )
    features: str | None = option(None, "feature matrix, in place of the init's", choices=methods.FEATURES)
    scale: str | None = option(None, "scale of that matrix, in place of the init's", choices=methods.SCALES)
    basis: str | None = option(
        None,
        "directions of that matrix, in place of the init's: as in the source, at random (rotated), without the "
        "layer's mean input (centred), without it and at random, or turned into the network's own channels (aligned)",
        choices=methods.BASES,
    )
    layers: str = option(
        "conv",
        "layers under test: conv, all, attention, first:N (convolutions), or names of layers or blocks, with commas",
    )
    fallback: str | None = option(
        None,
        "init of a layer that the source does not fit (else an error)",
        choices=("kaiming_normal", "default"),
    )
    round: int = option(
        1,
        "round of training and extraction: from the second on the source is the same run, one round before",
        minimum=1,
        maximum=MOST_ROUNDS,
    )
    epochs: int = option(20, "passes over the training images", minimum=1)
    batch_size: int = option(64, "images a step", minimum=1)
    optimizer: str = option("sgd", "optimiser", choices=catalogue.OPTIMIZERS)
    lr: float = option(1e-3, "learning rate", above=0)
    momentum: float = option(0.9, "momentum of sgd; beta1 of adamw", minimum=0, below=1)
    weight_decay: float = option(5e-4, "weight decay", minimum=0)
    schedule: str = option("constant", "learning rate over the epochs", choices=catalogue.SCHEDULES)
    image_size: int | None = option(
        None, "side of the images in pixels (default: the data set's)", minimum=8, maximum=4096
    )
    augment: str = option("none", "augmentation of the training images", choices=catalogue.AUGMENTATIONS)
    seed: int = option(0, "seed of weights, data order, dropout and AGOP sample", minimum=0)
    split_seed: int = option(0, "seed of the train/validation split", minimum=0)
    val_fraction: float = option(0.2, "share of the training set held out for validation", above=0, below=1)
    classes: str = option("", "classes to keep, relabelled from 0: '0-4' or '0,2,7' (default: all)")
    limit: int | None = option(None, "train on that many images", minimum=1)
    precision: str = option(
        "float32",
        "arithmetic of the training step (auto: bfloat16 where there are units for it)",
        choices=catalogue.PRECISIONS,
    )
    device: str = option(AUTO, "auto, cpu, mps, cuda or cuda:N")
    agop_power: float = option(1.0, "power of the AGOP: 1, or 0.5 for its square root", above=0)
    agop_images: int = option(64, "images that the AGOP is averaged over", minimum=1)
    agop_outputs: str = option(AUTO, "outputs of the AGOP: all, a number of random probes, or auto")
    ansatz_epochs: str = option(
        "", "epochs after which NFM and AGOP are correlated: all, or '0,1,5-10'; 0 is the start (default: none)"
    )
    source_epochs: int = option(10, "epochs of a source that is trained first", minimum=1)
    source_optimizer: str = option("adamw", "optimiser of such a source", choices=catalogue.OPTIMIZERS)
    source_lr: float = option(1e-3, "learning rate of such a source", above=0)
    source_seed: int = option(0, "seed of such a source", minimum=0)
    name: str = option("", "a name of your own for the run")
    study: str = option("", "the study that the run belongs to")

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> RunSpec:
        """A checked spec from field names and plain values (from TOML, JSON or the command line).

        It looks at no file: `check_files` does, once, when a run is asked for; a stored spec outlives its files.

        Raises:
            RequestError: at the first field that is unknown, mistyped, out of range, or at odds with another.
        """
        for key in given:
            if key not in _fields():
                raise unknown_choice("field", key, _fields())
        spec = cls(**{key: checked(_fields()[key], value, *field_types()[key]) for key, value in given.items()})
        return _normalised(spec)

    @classmethod
    def from_json(cls, text: str) -> RunSpec:
        """The spec that `to_json` wrote."""
        return cls.parse(json.loads(text))

    def to_json(self) -> str:
        """The spec as JSON, every field named."""
        return json.dumps(asdict(self), sort_keys=True)

    @property
    def method(self) -> methods.Method:
        """The initialisation method: the preset `init` with the choices of `features`, `scale` and `basis`."""
        # `parse` has checked that these are among the choices, which their types do not say.
        return methods.compose(self.init, self.features, self.scale, self.basis)  # type: ignore[arg-type]

    @property
    def label(self) -> str:
        """The method in words, as reports and charts group by it: the preset, and what differs from it."""
        method = self.method
        written = methods.spelling(method)
        parts = [f"{key}={value}" if key != "init" else value for key, value in written.items() if value]
        if method.features == "agop" and self.agop_power != 1.0:
            parts.append(f"power={self.agop_power:g}")
        if self.layers != "conv" and method.recipe != "default":
            parts.append(f"layers={self.layers}")
        if self.round > 1 and method.needs_source:
            parts.append(f"round={self.round}")
        return " ".join(parts)

    @property
    def twin_label(self) -> str | None:
        """The label of the run's isotropic twin, or None for a method without features."""
        twin = self.method.twin()
        if twin is None:
            return None
        return _written(self, twin).label

    @property
    def fed_size(self) -> int:
        """Side of the images that the network sees, in pixels; 64 for folders unless the run says otherwise."""
        if self.image_size is not None:
            return self.image_size
        facts = catalogue.DATASETS.get(self.dataset)
        return facts.image_size if facts else 64

    @property
    def fingerprint(self) -> str:
        """A digest of everything that can change the run's numbers: equal specs are the same run.

        A field that is younger than the first stores plays a part only where it is used, so that their runs keep
        their digests.
        """
        # Not `asdict`, whose deep copies take most of the time that a large study takes to read.
        values = {k: getattr(self, k) for k in _fields() if k not in ("name", "study", "device")}
        values = {k: v for k, v in values.items() if k not in _YOUNGER or v != _fields()[k].default}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def class_indices(self) -> tuple[int, ...] | None:
        """The classes to keep, in order, or None for all of them."""
        return parse_classes(self.classes) if self.classes else None

    @property
    def ansatz_at(self) -> tuple[int, ...]:
        """The epochs after which NFM and AGOP are correlated, in order; 0 is the start."""
        if self.ansatz_epochs == "all":
            return tuple(range(self.epochs + 1))
        return parse_numbers("ansatz_epochs", self.ansatz_epochs) if self.ansatz_epochs else ()

    def check_files(self) -> None:
        """Checks that the files and folders that the spec names are there.

        Raises:
            RequestError: naming the one that is not.
        """
        if self.source.endswith(CHECKPOINT_SUFFIXES) and not Path(self.source).expanduser().is_file():
            raise RequestError(f"source '{self.source}': there is no such file")
        for what, dataset in (("dataset", self.dataset), ("source", self.source.removeprefix("dataset:"))):
            kind, _, path = dataset.partition(":")
            if kind == catalogue.IMAGE_FOLDER and not Path(path).expanduser().is_dir():
                raise RequestError(f"{what} '{dataset}': there is no folder {path}")

    def relocate(self, move: Callable[[Path], Path]) -> RunSpec:
        """The same spec with every path it names passed through `move`."""

        def moved(text: str) -> str:
            kind, colon, path = text.rpartition(f"{catalogue.IMAGE_FOLDER}:")
            if colon or text.endswith(CHECKPOINT_SUFFIXES):
                return f"{kind}{colon}{move(Path(path).expanduser())}"
            return text

        return replace(self, dataset=moved(self.dataset), source=moved(self.source))

    def source_run(self) -> RunSpec | None:
        """The run that must train the source first, for later rounds and sources of the kind `dataset:`; else None.

        Of a later round it is the same run, one round before. In a first round it depends on nothing that differs
        between the methods or seeds of a study, so that one serves them all.
        """
        if not self.method.needs_source:
            return None
        if self.round > 1:
            return _normalised(replace(self, round=self.round - 1))
        if not self.source.startswith("dataset:"):
            return None
        name, classes = _dataset_source(self.source)
        return RunSpec.parse(
            {
                "model": self.source_model or self.model,
                "dataset": name,
                "classes": classes,
                "init": "kaiming_normal",
                "epochs": self.source_epochs,
                "batch_size": self.batch_size,
                "optimizer": self.source_optimizer,
                "lr": self.source_lr,
                "weight_decay": 0.01 if self.source_optimizer == "adamw" else 5e-4,
                "image_size": self.image_size,
                "seed": self.source_seed,
                "split_seed": self.split_seed,
                "val_fraction": self.val_fraction,
                "precision": self.precision,
                "device": self.device,
                "name": f"{SOURCE_NAME}{name}" + (f" {classes}" if classes else ""),
                "study": self.study,
            }
        )


def parse_classes(text: str) -> tuple[int, ...]:
    """The class indices of "0-4" or "0,2,5-7", in rising order.

    Raises:
        RequestError: if the text is not of that form, or leaves fewer than two classes.
    """
    indices = parse_numbers("classes", text)
    if len(indices) < 2:
        raise RequestError(
            f"classes '{text}' leaves {counted(len(indices), 'class')}; a classifier needs two or more"
        )
    return indices


@cache
def _fields() -> dict[str, Field[Any]]:
    return {f.name: f for f in fields(RunSpec)}


@cache
def field_types() -> dict[str, tuple[type, bool]]:
    """For each field of a spec its plain type, and whether it may be left empty (None)."""
    out = {}
    for name, hint in typing.get_type_hints(RunSpec).items():
        options = [t for t in typing.get_args(hint) if t is not types.NoneType]
        out[name] = (options[0], True) if options else (hint, False)
    return out


def typed(name: str, text: str) -> Any:
    """The text as the field's type; what is not of that type stays text, and the spec says what is wrong with it."""
    kind = field_types().get(name, (str, False))[0]
    try:
        return kind(text)
    except ValueError:
        return text


def _normalised(spec: RunSpec) -> RunSpec:
    """Checks what concerns more than one field, and blanks what plays no part, so that equal runs are equal specs."""
    _check_dataset(spec.dataset, "dataset")
    if spec.classes:
        _check_classes(spec.dataset, spec.classes)
    if spec.ansatz_at and spec.ansatz_at[-1] > spec.epochs:
        raise RequestError(f"ansatz_epochs '{spec.ansatz_epochs}': the run has the epochs 0 to {spec.epochs}")
    catalogue.check_model(spec.model, spec.fed_size, spec.layers)
    if spec.method.recipe == "mimetic":
        catalogue.check_attention(spec.model, spec.layers)
    _check_device(spec.device)
    if spec.agop_outputs not in (AUTO, "all") and not re.fullmatch(r"[1-9]\d{0,8}", spec.agop_outputs):
        raise RequestError(f"agop_outputs must be auto, all or a number of probes, not '{spec.agop_outputs}'")
    unused: list[str] = []
    spec = _written(spec, spec.method)
    if spec.method.recipe == "default":
        unused.append("layers")
    if spec.method.needs_source and spec.source == NOISE:
        spec = _from_noise(spec)
    unused += _check_source_fields(spec)
    if spec.method.features != "agop":
        unused += ["agop_power", "agop_images", "agop_outputs"]
    blank: dict[str, Any] = {name: _fields()[name].default for name in unused}
    return replace(spec, **blank)


def _written(spec: RunSpec, method: methods.Method) -> RunSpec:
    """The spec with that method."""
    written: dict[str, Any] = methods.spelling(method)
    return replace(spec, **written)


def _from_noise(spec: RunSpec) -> RunSpec:
    """The spec that starts from no source: in the first round its twin, which the later ones begin from."""
    twin = spec.method.twin()
    if twin is None:
        raise RequestError(f"source '{NOISE}' has nothing that {spec.label} could start from; name a trained source")
    return _written(spec, twin) if spec.round == 1 else spec


def _check_source_fields(spec: RunSpec) -> list[str]:
    """Checks what a spec says of its source; which of those fields play no part in it."""
    if not spec.method.needs_source:
        return ["source", "source_model", "fallback", "round", *_OF_TRAINED_SOURCE]
    _check_source(spec.source, spec.source_model or spec.model)
    trained = spec.source.startswith("dataset:")
    unused = [] if trained else [*_OF_TRAINED_SOURCE]
    if spec.source_model in (None, spec.model) or spec.source == NOISE:
        return [*unused, "source_model"]
    if trained and spec.image_size is not None:
        catalogue.check_model(spec.source_model, spec.image_size, "conv")
    if spec.fallback is None:
        catalogue.check_counterparts(spec.model, spec.source_model, spec.layers)
    return unused


def _check_dataset(dataset: str, what: str) -> None:
    if dataset in catalogue.DATASETS:
        return
    kind, _, path = dataset.partition(":")
    if kind != catalogue.IMAGE_FOLDER or not path:
        raise unknown_choice(what, dataset, [*catalogue.DATASETS, f"{catalogue.IMAGE_FOLDER}:PATH"])


def _check_classes(dataset: str, classes: str) -> None:
    indices = parse_classes(classes)
    facts = catalogue.DATASETS.get(dataset)
    if facts and indices[-1] >= facts.classes:
        raise RequestError(f"classes '{classes}': {dataset} has the classes 0 to {facts.classes - 1}")


def _check_device(device: str) -> None:
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", device):
        raise RequestError(f"unknown device '{device}'; choose from auto, cpu, mps, cuda, cuda:N")


def _dataset_source(source: str) -> tuple[str, str]:
    """The data set and the classes of a source `dataset:NAME[:CLASSES]`."""
    body = source.removeprefix("dataset:")
    if body.startswith(f"{catalogue.IMAGE_FOLDER}:"):
        return body, ""
    name, _, classes = body.partition(":")
    return name, classes


def _check_source(source: str, model: str) -> None:
    if source == "imagenet" and not catalogue.MODELS[model].on_imagenet:
        raise RequestError(
            f"source 'imagenet': there are no such weights of {model}; train one: source dataset:cifar10"
        )
    if source in ("imagenet", NOISE) or re.fullmatch(r"run:[1-9]\d{0,17}", source):
        return
    if source.startswith("dataset:"):
        name, classes = _dataset_source(source)
        _check_dataset(name, "source data set")
        if classes:
            _check_classes(name, classes)
        return
    if not source.endswith(CHECKPOINT_SUFFIXES):
        raise RequestError(f"unknown source '{source}'; choose from {SOURCE_KINDS}")
