"""Extracts the feature matrices of a network: NFM from the weights, AGOP of all layers from the same backward passes.

The AGOP of a layer is the mean over images and positions of sum_c g g^T, g the gradient of output c with respect to
an input patch (Radhakrishnan et al. 2024, Science 383, 1461; for convolutions Beaglehole et al. 2023). Since
g = W^T delta, with delta the gradient at the layer's output, AGOP = W^T D W with D = mean(delta delta^T): no patch is
unfolded.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Collection, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from agopconsole.backend.feature_matrix import FeatureMatrix, wide
from agopconsole.backend.layers import (
    Layer,
    feature_layers,
    matrix_names,
    named_blocks,
    patch_shape,
    weight_blocks,
)
from agopconsole.backend.untouched import evaluation, hooked

ALL = "all"
_IMAGES_AT_ONCE = 16
_OUTPUTS_AT_ONCE = 8


def nfm(model: nn.Module) -> dict[str, FeatureMatrix]:
    """The Neural Feature Matrix W^T W of every Conv2d and Linear, exact: its factor is W itself.

    W is the weight flattened to (c_out, d), d = c_in / groups * k_h * k_w (Radhakrishnan et al. 2024).

    Returns:
        Matrices with factors of shape (c_out / groups, d), by module name (`name[0]`, `name[1]`... for the groups of
        a convolution); copies, so that the matrices stay what they were when the model trains on.
    """
    return {key: FeatureMatrix(block.clone(), shape) for key, block, shape in named_blocks(model)}


def agop(
    model: nn.Module,
    images: Tensor,
    outputs: int | str = ALL,
    power: float = 1.0,
    *,
    layers: Collection[str] | None = None,
    generator: torch.Generator | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, FeatureMatrix]:
    """The Average Gradient Outer Product of every Conv2d and Linear that the forward pass reaches.

    AGOP = 1/(n |S|) sum over images i, positions s and outputs c of g g^T, g = d f_c(x_i) / d u_s. The positions of a
    layer that is used more than once are pooled. The model is evaluated in eval mode and left exactly as it was.

    Args:
        model: maps images to outputs of shape (n, K).
        images: shape (n, ...), on the model's device.
        outputs: `"all"` takes every output and is exact; a number takes that many random probes v with
            E[v v^T] = I (Rademacher) in their place: unbiased, with `relative_error` estimated on each matrix.
        power: 0.5 gives the matrix square root of the AGOP (Beaglehole et al. 2023).
        layers: module names of the layers that are wanted; None for all.
        generator: draws the probes; a CPU generator gives the same ones on every device.
        progress: called with the images done and the images in all.

    Returns:
        Matrices with factors of shape (r, d), r at most c_out / groups, by module name as in `nfm`. Layers that the
        forward pass does not reach are left out.

    Raises:
        ValueError: if there are no images, `outputs` or `power` is none of the above, a name is no Conv2d or Linear
            of the model, the model does not return (n, K), or its gradients are not finite.
    """
    if len(images) == 0:
        raise ValueError("the AGOP is a mean over images, and there are none")
    if outputs != ALL and (not isinstance(outputs, int) or outputs < 1):
        raise ValueError(f"outputs is 'all' or a number of probes, not {outputs!r}")
    chosen = _chosen(model, layers)
    with evaluation(model), torch.inference_mode(False), torch.enable_grad():
        sums = {name: _OuterSum(layer, exact=outputs == ALL) for name, layer in chosen.items()}
        for start in range(0, len(images), _IMAGES_AT_ONCE):
            batch = images[start : start + _IMAGES_AT_ONCE].detach().clone().requires_grad_()
            _add_batch(model, chosen, sums, batch, outputs, generator)
            if progress is not None:
                progress(start + len(batch), len(images))
        return {
            key: matrix.power(power)
            for name, layer in chosen.items()
            if sums[name].images
            for key, matrix in zip(matrix_names(name, layer), sums[name].matrices(), strict=True)
        }


def _chosen(model: nn.Module, names: Collection[str] | None) -> dict[str, Layer]:
    every = feature_layers(model)
    unknown = set(names or ()) - every.keys()
    if unknown:
        raise ValueError(f"the model has no Conv2d or Linear '{min(unknown)}'")
    return every if names is None else {name: layer for name, layer in every.items() if name in names}


def _add_batch(
    model: nn.Module,
    layers: dict[str, Layer],
    sums: dict[str, _OuterSum],
    batch: Tensor,
    outputs: int | str,
    generator: torch.Generator | None,
) -> None:
    with _recorded_outputs(layers) as recorded:
        out = model(batch)
    if not isinstance(out, Tensor) or out.ndim != 2:
        raise ValueError("the model must return its outputs as one tensor of shape (n, outputs)")
    uses = [(name, z) for name, tensors in recorded.items() for z in tensors if z.requires_grad]
    reached = {name: sums[name] for name, _ in uses}
    for outer in reached.values():
        outer.open_batch(len(batch))
    for chunk in torch.split(_directions(out, outputs, generator), _OUTPUTS_AT_ONCE):
        gradients = torch.autograd.grad(
            out, [z for _, z in uses], chunk, retain_graph=True, materialize_grads=True, is_grads_batched=True
        )
        for name, outer in reached.items():
            outer.add([delta for (use, _), delta in zip(uses, gradients, strict=True) if use == name])
    for outer in reached.values():
        outer.close_batch()


def _directions(out: Tensor, outputs: int | str, generator: torch.Generator | None) -> Tensor:
    """What the outputs are contracted with, shape (k, n, K): unit vectors, or probes drawn image by image."""
    n, k = out.shape
    if outputs == ALL:
        return torch.eye(k, dtype=out.dtype, device=out.device)[:, None].expand(k, n, k)
    where = generator.device if generator is not None else torch.device("cpu")
    signs = torch.randint(2, (int(outputs), n, k), generator=generator, device=where)
    # The sum over K outputs is the mean over probes: each v v^T has expectation I.
    return (signs * 2 - 1).to(out)


class _OuterSum:
    """The running sum of delta delta^T of one layer, a (c, c) matrix a group, c = c_out / groups."""

    def __init__(self, layer: Layer, *, exact: bool) -> None:
        self.layer = layer
        self.exact = exact
        self.blocks = weight_blocks(layer)
        c = len(self.blocks[0])
        self.total = torch.zeros(len(self.blocks), c, c, dtype=torch.float64)
        self.error_squared = torch.zeros(len(self.blocks), dtype=torch.float64)
        self.images = 0

    def open_batch(self, images: int) -> None:
        """Begins a batch of images."""
        self.images += images
        self.batch_images = images
        self.probes = 0
        self.batch_total = torch.zeros_like(self.total)
        self.squares = torch.zeros_like(self.error_squared)

    def add(self, deltas: list[Tensor]) -> None:
        """Adds gradients at the layer's outputs, one tensor a use of the layer, outputs (or probes) first."""
        rows = torch.cat([self._rows(delta) for delta in deltas], dim=-1)
        positions = rows.shape[-1] // self.batch_images
        if self.exact:
            rows = rows.transpose(0, 2).flatten(2).transpose(0, 1)  # (groups, c, outputs * images * positions)
            self.batch_total += wide(rows @ rows.mT) / positions
            return
        products = wide(rows @ rows.mT) / positions
        self.probes += len(products)
        self.batch_total += products.sum(0)
        self.squares += torch.stack([self._squared_norms(products[:, g], g).sum() for g in range(len(self.blocks))])

    def close_batch(self) -> None:
        """Ends the batch; the spread between its probes adds to the error's estimate."""
        if self.exact:
            self.total += self.batch_total
            return
        k = self.probes
        self.total += self.batch_total / k
        whole = torch.stack([self._squared_norms(m, g) for g, m in enumerate(self.batch_total)])
        self.error_squared += (self.squares - whole / k) / (k * (k - 1)) if k > 1 else math.nan

    def matrices(self) -> list[FeatureMatrix]:
        """The matrices of the groups: the factor D^(1/2) W of W^T D W."""
        if not torch.isfinite(self.total).all():
            raise ValueError("the gradients of the model's outputs are not finite")
        out = []
        for g, block in enumerate(self.blocks):
            values, vectors = torch.linalg.eigh(self.total[g] / self.images)
            kept = values > values.max() * len(values) * torch.finfo(torch.float64).eps
            root = (values[kept].sqrt() * vectors[:, kept]).T
            factor = root.to(block.dtype).to(block.device) @ block
            out.append(FeatureMatrix(factor, patch_shape(self.layer), self._relative_error(g)))
        return out

    def _rows(self, delta: Tensor) -> Tensor:
        """Gradients as (outputs, groups, c, images * positions)."""
        groups = len(self.blocks)
        if isinstance(self.layer, nn.Conv2d):
            k, n, c_out = delta.shape[:3]
            return delta.reshape(k, n, groups, c_out // groups, -1).permute(0, 2, 3, 1, 4).flatten(3)
        return delta.reshape(len(delta), 1, -1, delta.shape[-1]).mT

    def _squared_norms(self, middle: Tensor, group: int) -> Tensor:
        """||W^T M W||_F^2 = tr(G M G M) with G = W W^T, for each symmetric (c, c) matrix M."""
        product = wide(self.blocks[group] @ self.blocks[group].T) @ middle
        return (product * product.mT).sum((-2, -1))

    def _relative_error(self, group: int) -> float | None:
        if self.exact:
            return None
        norm = float(self._squared_norms(self.total[group], group))
        return math.sqrt(max(float(self.error_squared[group]), 0.0) / norm) if norm > 0 else math.nan


@contextlib.contextmanager
def _recorded_outputs(layers: dict[str, Layer]) -> Iterator[dict[str, list[Tensor]]]:
    """Records the layers' outputs during a forward pass, as they are before anything is done to them in place."""
    recorded: dict[str, list[Tensor]] = {}

    def recorder(name: str) -> Callable[[nn.Module, Any, Tensor], Tensor]:
        def record(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
            del module, inputs
            recorded.setdefault(name, []).append(output)
            # An in-place ReLU then works on the copy, and the recorded output keeps its place in the graph.
            return output.clone()

        return record

    with hooked(layers, recorder):
        yield recorded
