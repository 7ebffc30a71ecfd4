"""The running sum of gradient outer products of one slot, and the thin factor of its AGOP."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from agopconsole.backend.devices import in_float64
from agopconsole.backend.feature_matrix import FeatureMatrix
from agopconsole.backend.layers import Slot
from agopconsole.backend.scratch import outer_product


def at_least_float32(tensor: Tensor) -> Tensor:
    """The tensor, half precision widened: sums of products are never kept in less than float32."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


class OuterSum:
    """The mean of delta delta^T of one slot, delta the gradient at its output, a (c, c) matrix D a group.

    While fewer than c vectors have come, they are kept as they are: a wide linear layer, 25088 -> 4096, then needs no
    (c, c) matrix, and the vectors times W are the factor.

    Args:
        slot: c = c_out / groups.
        rows: of the weight that count, None for all.
        exact: every output is a direction; otherwise directions are random probes, and their spread is the error.
        widen: multiply gradients of half precision in float32; else as they are, and a product, though not its sums,
            is rounded to their type.
    """

    def __init__(self, slot: Slot, rows: list[int] | None, *, exact: bool, widen: bool = True) -> None:
        self.slot = slot
        self.exact = exact
        self._widen = widen
        self.images = 0
        self._rows = rows
        self._patch_shape = slot.patch_shape
        self._blocks = [at_least_float32(block if rows is None else block[rows]).clone() for block in slot.blocks]
        self._sum = _Sum(len(self._blocks), len(self._blocks[0]))
        self._grams: dict[int, Tensor] = {}
        self._error_squared = in_float64(self._blocks[0].new_zeros(len(self._blocks)))

    def open_batch(self, images: int) -> None:
        """Begins a batch of images."""
        self.images += images
        self.batch_images = images
        self._batch_sum = _Sum(len(self._blocks), len(self._blocks[0]))
        self._probes = self._lots = 0
        self._squares = torch.zeros_like(self._error_squared)

    def add(self, deltas: list[Tensor]) -> None:
        """Adds gradients at the slot's outputs, one tensor a use, outputs (or probes) first; none of them is kept."""
        several = [self._vectors(delta) for delta in deltas]
        vectors = several[0] if len(several) == 1 else torch.cat(several, dim=-1)  # (k, groups, c, n * positions)
        positions = vectors.shape[-1] // self.batch_images
        if not self.exact:
            for probes in vectors.chunk(2):
                self._probes, self._lots = self._probes + len(probes), self._lots + 1
                self._squares += self._squared_norms(_side_by_side(probes)) / positions**2 / len(probes)
        self._batch_sum.add(_side_by_side(vectors), 1 / positions)

    def close_batch(self) -> None:
        """Ends the batch; the spread between lots of its probes adds to the error's estimate.

        Of k probes X of variance s^2 in L lots, E sum ||sum of a lot||^2 / (its size) - ||sum of all||^2 / k is
        (L - 1) s^2, and the variance of their mean s^2 / k.
        """
        k = 1 if self.exact else self._probes
        if not self.exact:
            whole = self._batch_sum.squared_norms(self._blocks, self._gram)
            lots = self._lots
            self._error_squared += (self._squares - whole / k) / (k * (lots - 1)) if lots > 1 else math.nan
        self._sum.merge(self._batch_sum, 1 / k)

    def matrices(self) -> list[FeatureMatrix]:
        """The matrices of the groups: the factor R W of W^T D W, with D = R^T R.

        Raises:
            ValueError: if a gradient was not finite.
        """
        out = []
        for g, block in enumerate(self._blocks):
            root = self._sum.root(g) / math.sqrt(self.images)
            if not torch.isfinite(root).all():
                raise ValueError(f"the gradients of the model's outputs are not finite at '{self.slot.name}'")
            matrix = FeatureMatrix(root.to(block) @ block, self._patch_shape)
            out.append(FeatureMatrix(matrix.factor, self._patch_shape, self._relative_error(g, matrix)))
        return out

    def _vectors(self, delta: Tensor) -> Tensor:
        """Gradients as (k, groups, c, n * positions)."""
        delta = at_least_float32(delta) if self._widen else delta
        groups = len(self._blocks)
        if len(self._patch_shape) == 3:
            k, n, c_out = delta.shape[:3]
            return delta.reshape(k, n, groups, c_out // groups, -1).permute(0, 2, 3, 1, 4).flatten(3)
        if self._rows is not None:
            delta = delta[..., self._rows]
        return delta.reshape(len(delta), 1, -1, delta.shape[-1]).mT

    def _squared_norms(self, vectors: Tensor) -> Tensor:
        one = _Sum(len(self._blocks), len(self._blocks[0]))
        one.add(vectors, 1.0)
        return one.squared_norms(self._blocks, self._gram)

    def _gram(self, group: int) -> Tensor:
        if group not in self._grams:
            self._grams[group] = in_float64(self._blocks[group] @ self._blocks[group].T)
        return self._grams[group]

    def _relative_error(self, group: int, matrix: FeatureMatrix) -> float | None:
        if self.exact:
            return None
        norm = matrix.inner(matrix)
        # A model may be so linear that all probes agree, but for rounding.
        return (
            math.sqrt(max(float(self._error_squared[group] / self.images**2), 0.0) / norm) if norm > 0 else math.nan
        )


def _side_by_side(vectors: Tensor) -> Tensor:
    """Those of all outputs or probes, (k, groups, c, m), as (groups, c, k * m)."""
    return vectors.transpose(0, 2).flatten(2).transpose(0, 1)


class _Sum:
    """A sum of v v^T over vectors v, a group: up to c vectors as they are, from then on a (c, c) matrix."""

    def __init__(self, groups: int, c: int) -> None:
        self._shape = (groups, c, c)
        self._vectors: list[Tensor] = []
        self._dense: Tensor | None = None

    def add(self, vectors: Tensor, weight: float) -> None:
        """Adds `weight` times the outer products of the columns of (groups, c, m)."""
        kept = sum(other.shape[-1] for other in self._vectors)
        if self._dense is None and kept + vectors.shape[-1] <= self._shape[1]:
            self._vectors.append(vectors * math.sqrt(weight))
            return
        products = _products(vectors)
        self._densify(products).add_(products, alpha=weight)

    def merge(self, other: _Sum, weight: float) -> None:
        """Adds `weight` times another sum."""
        for vectors in other._vectors:
            self.add(vectors, weight)
        if other._dense is not None:
            self._densify(other._dense).add_(other._dense, alpha=weight)

    def root(self, group: int) -> Tensor:
        """R with R^T R the sum, shape (r, c), r at most c."""
        if self._dense is not None:
            return _square_root(self._dense[group])
        return torch.cat([vectors[group] for vectors in self._vectors], dim=-1).mT

    def squared_norms(self, blocks: list[Tensor], gram_of: Callable[[int], Tensor]) -> Tensor:
        """||W^T D W||_F^2 of each group, for its weight W: a sum over the Gram matrix of the vectors times W.

        Args:
            blocks: W of each group.
            gram_of: W W^T of a group, asked for where D is kept as a matrix.
        """
        out = []
        for g, block in enumerate(blocks):
            if self._dense is None:
                thin = in_float64(self.root(g).to(block) @ block)
                out.append((thin @ thin.T).square().sum())
            else:
                product = gram_of(g) @ self._dense[g]
                out.append((product * product.mT).sum())
        return torch.stack(out)

    def _densify(self, like: Tensor) -> Tensor:
        if self._dense is None:
            self._dense = like.new_zeros(self._shape)
            for vectors in self._vectors:
                self._dense += _products(vectors)
            self._vectors = []
        return self._dense


def _products(vectors: Tensor) -> Tensor:
    """The sums of outer products of the columns of (groups, c, m), in float64."""
    if len(vectors) == 1:
        return in_float64(outer_product(vectors[0].mT))[None]
    return in_float64(vectors @ vectors.mT)


def _square_root(middle: Tensor) -> Tensor:
    """R with R^T R = D, (r, c): the triangle of Cholesky, or where D has no full rank the eigenvectors that count.

    Channels that let no gradient through are zeros in D; without them its rank is full as a rule.
    """
    if not torch.isfinite(middle).all():
        return torch.full_like(middle, math.nan)
    alive = middle.diagonal() > 0
    triangle, failed = torch.linalg.cholesky_ex(middle[alive][:, alive])
    if not failed:
        upper = middle.new_zeros(len(triangle), len(middle))
        upper[:, alive] = triangle.mT
        return upper
    values, vectors = torch.linalg.eigh(middle)
    kept = values > values.max() * len(values) * torch.finfo(torch.float64).eps
    root: Tensor = (values[kept].sqrt() * vectors[:, kept]).T
    return root
