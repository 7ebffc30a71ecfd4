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
from agopconsole.backend.layers import Slot, weight_slots
from agopconsole.backend.models import build_for_weights, build_model, head_name
from agopconsole.backend.vit import trained_size
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

    def holds(self, slot: Slot) -> bool:
        """Whether the weight of that slot is among its tensors."""
        return slot.weight_name in self.weights.tensors

    def network(self, *, with_head: bool, fed_at: int | None = None) -> nn.Module:
        """The network with its weights.

        Args:
            with_head: ask for the source's own outputs, as the AGOP does.
            fed_at: side of the images that it will be given, where that is not the side it was trained at.

        Raises:
            RequestError: if a layer of the network (or the head that is asked for) is not among the weights, or a
                vision transformer is to be fed at another size than its own.
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
        state = network.state_dict()
        classifier = head_name(self.model_name).partition(".")[0]
        missing = [
            slot.weight_name
            for name, slot in weight_slots(network).items()
            if (with_head or name.partition(".")[0] != classifier) and not self.holds(slot)
        ]
        if missing:
            raise RequestError(f"source '{self.title}' lacks '{missing[0]}', so it is no {self.model_name}")
        for name, tensor in self.weights.tensors.items():
            if name in state and state[name].shape != tensor.shape:
                raise RequestError(
                    f"source '{self.title}': {name} has the shape {tuple(tensor.shape)}, "
                    f"a {self.model_name} has {tuple(state[name].shape)}"
                )
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
        RequestError: if a file is missing, damaged or no checkpoint.
        WorkError: if the ImageNet weights are not there and cannot be fetched.
    """
    if checkpoint is not None:
        path, image_size = checkpoint, None
        title = spec.source if spec.round == 1 else f"round {spec.round - 1}"
    elif spec.source == "imagenet":
        path = _imagenet_weights(spec.model, data_dir, mirror, report)
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
        model_name=weights.fact("model") or spec.model,
        weights=weights,
        image_size=image_size or weights.fact("image_size") or trained_size(weights.tensors),
        digest=_digest(weights),
    )


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
