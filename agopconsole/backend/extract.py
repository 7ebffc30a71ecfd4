"""Extracts the feature matrices of a network: NFM from the weights, AGOP of all layers from the same backward passes.

The AGOP of a layer is the mean over images and positions of sum_c g g^T, g the gradient of output c with respect to
an input patch (Radhakrishnan et al. 2024, Science 383, 1461; for convolutions Beaglehole et al. 2023). Since
g = W^T delta, with delta the gradient at the layer's output, AGOP = W^T D W with D = mean(delta delta^T): no patch is
unfolded.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sized
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from agopconsole.backend.chain import StraightLine, straight_line
from agopconsole.backend.devices import exact_products
from agopconsole.backend.feature_matrix import FeatureMatrix
from agopconsole.backend.layers import Slot, weight_slots
from agopconsole.backend.memory_plan import DEFAULT_PLAN, Cost, Plan, parse_bytes, plan_within
from agopconsole.backend.outer_sum import OuterSum, at_least_float32
from agopconsole.backend.untouched import evaluation, stand_ins
from agopconsole.backend.uses import Use, recorded_uses

ALL = "all"
_OUTPUTS_AT_ONCE_IN_LINE = 32  # a line splits them further where its maps are large
_PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class UnreachedWarning(UserWarning):
    """Names layers that are left out of a result, since the forward pass does not reach them."""


def nfm(model: nn.Module, *, heads: Collection[int] | None = None) -> dict[str, FeatureMatrix]:
    """The Neural Feature Matrix W^T W of every weight slot, exact: its factor is W itself.

    W is the weight flattened to (c_out, d), d = c_in / groups * k_h * k_w (Radhakrishnan et al. 2024).

    Args:
        model: any module; `layers.weight_slots` says which of its weights have a matrix.
        heads: of each attention, the heads whose rows of W are used for q, k and v; None for all. Every other matrix
            is what it is.

    Returns:
        Matrices with factors of shape (c_out / groups, d), by module name (`name[0]`, `name[1]`... for the groups of
        a convolution, `name.q`, `name.k`, `name.v` for an attention); copies, so that the matrices stay what they
        were when the model trains on, and in float32 where the model is in half precision.

    Raises:
        ValueError: if an attention lacks one of the heads.
    """
    matrices = {}
    for slot in weight_slots(model).values():
        rows = slot.head_rows(heads)
        for key, block in zip(slot.keys, slot.blocks, strict=True):
            own = block if rows is None else block[rows]
            matrices[key] = FeatureMatrix(at_least_float32(own).clone(), slot.patch_shape)
    return matrices


def agop(
    model: nn.Module,
    images: Tensor | Iterable[Any],
    outputs: int | str = ALL,
    power: float = 1.0,
    *,
    layers: Collection[str] | None = None,
    heads: Collection[int] | None = None,
    memory: int | str | None = None,
    precision: str | None = None,
    generator: torch.Generator | None = None,
    progress: Callable[[int, int | None], None] | None = None,
    winograd: bool = True,
) -> dict[str, FeatureMatrix]:
    """The Average Gradient Outer Product of every weight slot that the forward pass reaches.

    AGOP = 1/(n |S|) sum over images i, positions s and outputs c of g g^T, g = d f_c(x_i) / d u_s. The positions of a
    layer that is used more than once are pooled. The model is evaluated in eval mode and left exactly as it was.

    Args:
        model: maps images to outputs of shape (n, K). Of a tuple, list or mapping the first tensor in it is taken.
        images: shape (n, ...), on the model's device; or an iterable of such batches, a DataLoader for one, which is
            gone through once and never held whole. Of a batch that is a tuple or list the first item is taken.
        outputs: `"all"` takes every output and is exact; a number takes that many random probes v with
            E[v v^T] = I (Rademacher) in their place: unbiased, with `relative_error` estimated on each matrix.
        power: 0.5 gives the matrix square root of the AGOP (Beaglehole et al. 2023).
        layers: names of the slots or modules that are wanted; None for all.
        heads: of each attention, the heads whose rows are used for q, k and v; None for all.
        memory: bytes, or text such as `"2 GiB"`, that the passes may take beside the model, the batches handed in and
            the sums (a (c, c) matrix in float64 a slot at most). One image is passed through first to see what it
            takes, and as many images and outputs go through at once as fit. None: 16 images, 8 outputs.
        precision: `"float32"` or `"bfloat16"`, the type of the model's passes; None for the model's own. Products are
            summed in float32 or more, and the matrices are made of the weights as they are. A forward pass in half
            precision flips the masks of ReLUs, and costs several per cent of error; of a network that is a straight
            line of layers in float32 or more, only the way back is in bfloat16, and the error a few thousandths.
        generator: draws the probes; a CPU generator gives the same ones on every device.
        progress: called with the images done and the images in all (None where an iterable does not say).
        winograd: passes gradients through 3 x 3 convolutions by minimal filtering where that is faster: on large maps
            of a network that is a straight line of layers, as a VGG is. In float32 the error of a gradient grows
            from 2e-7 to 2e-6 a layer; the forward pass, and so every ReLU's mask, stays as it is.

    Returns:
        Matrices with factors of shape (r, d), r at most c_out / groups, by name as in `nfm`. Layers that the forward
        pass does not reach are left out, and an `UnreachedWarning` names them.

    Raises:
        ValueError: if there are no images, an argument is none of the above, a name is no slot of the model, the
            model does not return (n, K), its gradients are not finite, or `memory` does not hold one output of one
            image.
    """
    if outputs != ALL and (not isinstance(outputs, int) or outputs < 1):
        raise ValueError(f"outputs is 'all' or a number of probes, not {outputs!r}")
    if precision is not None and precision not in _PRECISIONS:
        raise ValueError(f"precision is 'float32' or 'bfloat16', not {precision!r}")
    slots = _chosen(model, layers)
    limit = None if memory is None else parse_bytes(memory)
    with (
        evaluation(model),
        exact_products(),
        torch.inference_mode(False),
        torch.enable_grad(),
        contextlib.ExitStack() as copies,
    ):
        copies.enter_context(stand_ins(model))
        dtype = _floating_type(model)
        wanted = None if precision is None else _PRECISIONS[precision]
        back_in = wanted if wanted == torch.bfloat16 and dtype in (torch.float32, torch.float64) else None
        line = _as_line(model, slots, winograd=winograd, back_in=back_in)
        if wanted not in (None, dtype) and (line is None or back_in is None):
            copies.enter_context(stand_ins(model, wanted))
            dtype = wanted
            line = _as_line(model, slots, winograd=winograd)
        sums = {
            name: OuterSum(slot, slot.head_rows(heads), exact=outputs == ALL, widen=line is None or back_in is None)
            for name, slot in slots.items()
        }
        passes = _Passes(model, slots, sums, outputs, generator, line)
        done, whole = 0, _number_of_images(images)
        for batch in _batches(images, dtype):
            plan = passes.plan(batch[:1], limit)
            for piece in torch.split(batch, plan.images):
                passes.add(piece)
                done += len(piece)
                if progress is not None:
                    progress(done, whole)
    if done == 0:
        raise ValueError("the AGOP is a mean over images, and there are none")
    unreached = [name for name, outer in sums.items() if not outer.images]
    if unreached:
        message = f"the forward pass does not reach {', '.join(unreached)}: no AGOP of these"
        warnings.warn(message, UnreachedWarning, stacklevel=2)
    return {
        key: matrix.power(power)
        for name, slot in slots.items()
        if sums[name].images
        for key, matrix in zip(slot.keys, sums[name].matrices(), strict=True)
    }


def _chosen(model: nn.Module, names: Collection[str] | None) -> dict[str, Slot]:
    every = weight_slots(model)
    unknown = set(names or ()) - {name for slot in every.values() for name in (slot.name, slot.layer)}
    if unknown:
        raise ValueError(f"the model has no Conv2d, Linear or attention '{min(unknown)}'")
    if names is None:
        return every
    return {name: slot for name, slot in every.items() if name in names or slot.layer in names}


def _floating_type(model: nn.Module) -> torch.dtype | None:
    return next((tensor.dtype for tensor in model.parameters() if tensor.is_floating_point()), None)


def _as_line(
    model: nn.Module, slots: dict[str, Slot], *, winograd: bool, back_in: torch.dtype | None = None
) -> StraightLine | None:
    """The model as a line, which knows modules only: neither thirds of a weight nor two modules that share one."""
    modules = sum(isinstance(module, nn.Conv2d | nn.Linear) for module in model.modules())
    plain = len(weight_slots(model)) == modules and all(slot.name == slot.layer for slot in slots.values())
    return straight_line(model, fast=winograd, back_in=back_in) if plain else None


def _number_of_images(images: Tensor | Iterable[Any]) -> int | None:
    if isinstance(images, Tensor):
        return len(images)
    data = getattr(images, "dataset", None)
    return len(data) if isinstance(data, Sized) else None


def _batches(images: Tensor | Iterable[Any], dtype: torch.dtype | None) -> Iterator[Tensor]:
    """Batches that are ordinary tensors, in the model's floating-point type where they are floating-point at all."""
    for item in [images] if isinstance(images, Tensor) else images:
        batch = item[0] if isinstance(item, tuple | list) else item
        if not isinstance(batch, Tensor):
            raise ValueError(f"images come as tensors, not as {type(batch).__name__}")  # noqa: TRY004
        batch = batch.detach()
        if batch.is_inference():
            batch = batch.clone()
        if len(batch):
            yield batch.to(dtype) if dtype is not None and batch.is_floating_point() else batch


class _Passes:
    """Passes batches through a model and adds the gradients at its slots to their sums."""

    def __init__(
        self,
        model: nn.Module,
        slots: dict[str, Slot],
        sums: dict[str, OuterSum],
        outputs: int | str,
        generator: torch.Generator | None,
        line: StraightLine | None,
    ) -> None:
        self._model = model
        self._slots = slots
        self._sums = sums
        self._outputs = outputs
        self._generator = generator
        self._line = line
        self._plan: Plan | None = None
        self._sizes: dict[tuple[int, ...], list[int]] = {}

    def plan(self, image: Tensor, memory: int | None) -> Plan:
        """How much goes through at once: made for the first image, kept for the others."""
        if self._plan is None:
            self._plan = DEFAULT_PLAN if memory is None else plan_within(memory, self._cost(image))
            self._in_line = _OUTPUTS_AT_ONCE_IN_LINE if memory is None else self._plan.outputs
        return self._plan

    def add(self, batch: Tensor) -> None:
        """Adds a batch of images that goes through at once."""
        if self._line is not None:
            self._add_in_line(self._line, batch)
            return
        uses, out = self._forward(batch)
        if len(batch) > 1 and any(
            use.output.numel() != len(batch) * size
            for use, size in zip(uses, self._sizes_of_one(batch), strict=False)
        ):
            # Something is computed once for all images, as the position bias of a Swin v2: only a batch of one tells
            # the gradient of an image from that of another.
            del uses, out
            for image in torch.split(batch, 1):
                self._add_uses(image, *self._forward(image))
        else:
            self._add_uses(batch, uses, out)

    def _add_uses(self, batch: Tensor, uses: list[Use], out: Tensor) -> None:
        assert self._plan is not None
        reached = {use.slot: self._sums[use.slot] for use in uses}
        tensors = list({id(use.output): use.output for use in uses}.values())
        places = {id(tensor): place for place, tensor in enumerate(tensors)}
        for outer in reached.values():
            outer.open_batch(len(batch))
        if tensors and out.requires_grad:
            for chunk in torch.split(_directions(out, self._outputs, self._generator), self._plan.outputs):
                gradients = torch.autograd.grad(
                    out, tensors, chunk, retain_graph=True, materialize_grads=True, is_grads_batched=True
                )
                for name, outer in reached.items():
                    own = [(use, gradients[places[id(use.output)]]) for use in uses if use.slot == name]
                    outer.add([use.part.of(gradient) for use, gradient in own])
        for outer in reached.values():
            outer.close_batch()

    def _add_in_line(self, line: StraightLine, batch: Tensor) -> None:
        out = _checked(line.forward(batch))
        for outer in self._sums.values():
            outer.open_batch(len(batch))
        for chunk in torch.split(_directions(out, self._outputs, self._generator), self._in_line):
            line.backward(chunk, self._sums, lambda name, delta: self._sums[name].add([delta]))
        for outer in self._sums.values():
            outer.close_batch()

    def _forward(self, batch: Tensor) -> tuple[list[Use], Tensor]:
        with recorded_uses(self._slots.values()) as uses:
            out = _checked(self._model(batch))
        return uses, out

    def _sizes_of_one(self, batch: Tensor) -> list[int]:
        """The number of values that each use gives for one image of that shape."""
        shape = tuple(batch.shape[1:])
        if shape not in self._sizes:
            uses, _ = self._forward(batch[:1])
            self._sizes[shape] = [use.output.numel() for use in uses]
        return self._sizes[shape]

    def _cost(self, image: Tensor) -> Cost:
        """What one image takes: measured in one forward pass, with an allowance for what lives for a moment only."""
        held: dict[int, int] = {}
        own = {
            tensor.untyped_storage().data_ptr() for tensor in chain(self._model.parameters(), self._model.buffers())
        }

        def hold(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                held[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(hold, lambda tensor: tensor):
            uses, _ = self._forward(image)
        outputs = {id(use.output): use.output.nbytes for use in uses}
        largest = max(chain(held.values(), outputs.values()), default=0)
        # autograd hands over all gradients at once; four more of the largest are on their way or being summed.
        return Cost(
            forward=sum(held.values()) + 2 * sum(outputs.values()), gradients=sum(outputs.values()) + 4 * largest
        )


def _checked(out: Any) -> Tensor:
    """The outputs, shape (n, K): the first tensor, where a model returns several."""
    while not isinstance(out, Tensor) and isinstance(out, tuple | list | Mapping):
        parts = out.values() if isinstance(out, Mapping) else out
        out = next((part for part in parts if isinstance(part, Tensor | tuple | list | Mapping)), None)
    if not isinstance(out, Tensor) or out.ndim != 2:
        found = f"shape {tuple(out.shape)}" if isinstance(out, Tensor) else type(out).__name__
        raise ValueError(f"the model must return its outputs as one tensor of shape (n, outputs), not {found}")
    return out


def _directions(out: Tensor, outputs: int | str, generator: torch.Generator | None) -> Tensor:
    """What the outputs are contracted with, shape (k, n, K): unit vectors, or probes drawn image by image."""
    n, k = out.shape
    if outputs == ALL:
        return torch.eye(k, dtype=out.dtype, device=out.device)[:, None].expand(k, n, k)
    where = generator.device if generator is not None else torch.device("cpu")
    signs = torch.randint(2, (int(outputs), n, k), generator=generator, device=where)
    # The sum over K outputs is the mean over probes: each v v^T has expectation I.
    return (signs * 2 - 1).to(out)
