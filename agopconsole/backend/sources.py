"""Where trained weights come from: ImageNet's, those of an earlier run, or a file; and what is taken from them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torchvision
from torch import nn

from agopconsole.backend.checkpoint import Weights, load_weights
from agopconsole.backend.data import Report
from agopconsole.backend.data.download import download
from agopconsole.backend.data.published import RemoteFile
from agopconsole.backend.layers import Slot
from agopconsole.backend.models import build_for_weights, build_model, head_name
from agopconsole.backend.recognition import blueprint, fitting, misfit
from agopconsole.backend.vit import trained_size
from agopconsole.catalogue import MODELS
from agopconsole.errors import RequestError, WorkError
from agopconsole.spec import RunSpec

_IMAGENET_SIZE = 224


@dataclass(frozen=True, slots=True)
class Source:
    """A trained network.

    Attributes:
        title: how the run names it: `imagenet`, `run #3`, `vgg11.pth`.
        model_name: one of `catalogue.MODELS`.
        weights: its tensors by state-dict name.
        image_size: side of the images it was trained at, in pixels; None where neither file nor weights say it.
        digest: of the tensors.
    """

    title: str
    model_name: str
    weights: Weights
    image_size: int | None
    digest: str

    @property
    def outputs(self) -> int:
        """Number of outputs of its head, 0 where the file holds none."""
        head = self.weights.tensors.get(head_name(self.model_name))
        return 0 if head is None else len(head)

    @property
    def blueprint(self) -> nn.Module:
        """The network without values: what its layers are."""
        return blueprint(self.model_name, self.weights.tensors)

    def holds(self, slot: Slot) -> bool:
        """Whether the weight of that slot is among its tensors."""
        return slot.weight_name in self.weights.tensors

    def network(self, *, with_head: bool, fed_at: int | None = None) -> nn.Module:
        """The network with its weights.

        Args:
            with_head: ask for the source's own outputs, as the AGOP does.
            fed_at: side of the images that it will be given, where that is not the side it was trained at.

        Raises:
            RequestError: if a layer of the network (or the head that is asked for) is not among the weights or has
                another shape, or a vision transformer is to be fed at another size than its own.
        """
        own = trained_size(self.weights.tensors)
        if fed_at is not None and own is not None and fed_at != own:
            raise RequestError(
                f"source '{self.title}' is a {self.model_name} for images of {own} px and takes none of {fed_at}; "
                f"ask for image_size {own}"
            )
        network = build_for_weights(self.model_name, self.weights.tensors)
        if network is None:
            if with_head:
                raise RequestError(
                    f"source '{self.title}' holds no head of a {self.model_name}, and its AGOP needs one"
                )
            network = build_model(self.model_name, classes=2, image_size=32)
        if reason := misfit(self.model_name, self.weights.tensors, with_head=with_head):
            others = " or ".join(name for name in fitting(self.weights.tensors) if name != self.model_name)
            hint = f"; it would be a {others}" if others else ""
            raise RequestError(f"source '{self.title}' {reason}{hint}")
        network.load_state_dict(self.weights.tensors, strict=False)
        return network.eval()


def load_source(
    spec: RunSpec, checkpoint: Path | None, data_dir: Path, *, mirror: str | None, report: Report
) -> Source:
    """The source that a spec names.

    Args:
        spec: the run; its method needs a source.
        checkpoint: best weights of the source run: for the kinds `run:` and `dataset:`, and in later rounds.
        data_dir: where ImageNet weights are kept.
        mirror: a URL or folder to fetch them from instead.
        report: takes lines of progress.

    Raises:
        RequestError: if a file is missing, damaged, no checkpoint, or of another network than the spec says.
        WorkError: if the ImageNet weights are not there and cannot be fetched.
    """
    if checkpoint is not None:
        path, image_size = checkpoint, None
        title = spec.source if spec.round == 1 else f"round {spec.round - 1}"
    elif spec.source == "imagenet":
        path = _imagenet_weights(spec.source_model or spec.model, data_dir, mirror, report)
        title, image_size = "imagenet", _IMAGENET_SIZE
    else:
        path = Path(spec.source).expanduser()
        title, image_size = path.name, None
    weights = load_weights(path)
    broken = [name for name, tensor in weights.tensors.items() if not bool(tensor.isfinite().all())]
    if broken:
        raise RequestError(f"source '{title}': {broken[0]} holds values that are not finite")
    return Source(
        title=title,
        model_name=_model_name(spec, weights, title, report),
        weights=weights,
        image_size=image_size or weights.fact("image_size") or trained_size(weights.tensors),
        digest=_digest(weights),
    )


def _model_name(spec: RunSpec, weights: Weights, title: str, report: Report) -> str:
    """The network that a source is: as the spec says, as its file says, as its tensors tell, else the run's own."""
    fact = weights.fact("model")
    said = fact if isinstance(fact, str) and fact in MODELS else None
    if spec.source_model is not None and spec.round == 1:
        if said not in (None, spec.source_model):
            raise RequestError(f"source '{title}' is a {said}, and source_model says {spec.source_model}")
        return spec.source_model
    if said is not None:
        return said
    if misfit(spec.model, weights.tensors, with_head=False) is None:
        return spec.model
    found = fitting(weights.tensors)
    if len(found) > 1:
        raise RequestError(f"source '{title}' could be a {' or '.join(found)}: say which one by source_model")
    if not found:
        return spec.model
    report(f"source '{title}' holds the tensors of a {found[0]}, not of a {spec.model}")
    return found[0]


class _ImagenetWeights(RemoteFile):
    """torchvision's weights: their file name ends in the first digits of their SHA-256."""

    def is_at(self, path: Path) -> bool:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        return found.startswith(self.name.rpartition("-")[2].removesuffix(".pth"))


def _imagenet_weights(model: str, data_dir: Path, mirror: str | None, report: Report) -> Path:
    url = torchvision.models.get_model_weights(model).DEFAULT.url
    file = _ImagenetWeights(name=url.rpartition("/")[2], md5="", urls=(url,))
    folder = data_dir / "weights"
    try:
        return download(file, folder, mirror=mirror, report=report)
    except WorkError as error:
        raise WorkError(
            f"source 'imagenet' needs {file.name} in {folder}, and it could not be fetched: {error}; put it there, "
            "or train a source on the spot: --source dataset:digits"
        ) from None


def _digest(weights: Weights) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.tensors.items()):
        digest.update(name.encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
