"""A feature matrix in factor form: the positive semi-definite (d, d) matrix F^T F, known by its thin factor F.

Every quantity is computed from F of shape (r, d); nothing of shape (d, d) is formed unless `dense` is asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional

from agopconsole.backend.devices import exact_products

_ROWS_AT_ONCE = 64


def wide(tensor: Tensor) -> Tensor:
    """A float64 copy on the CPU, where sums of many products are exact enough; not every accelerator has float64."""
    return tensor.detach().cpu().double()


@dataclass(frozen=True, eq=False)
class FeatureMatrix:
    """The matrix S = F^T F of one layer: its NFM (Radhakrishnan et al. 2022, W^T W) or its AGOP.

    Attributes:
        factor: F, shape (r, d), r at most the layer's number of outputs. The matrix shares it and never writes to it.
        patch_shape: how an input patch of length d is laid out: (channels, k_h, k_w) for a convolution, (d,) for a
            linear layer.
        relative_error: estimated relative error (Frobenius) where random probes took the place of the outputs,
            None where the matrix is exact.
    """

    factor: Tensor
    patch_shape: tuple[int, ...] = field(default=())
    relative_error: float | None = None

    def __post_init__(self) -> None:
        """Checks the shapes.

        Raises:
            ValueError: if the factor is no matrix of finite numbers, or the patch shape does not fit it.
        """
        if self.factor.ndim != 2:
            raise ValueError(f"a factor has the shape (r, d), not {tuple(self.factor.shape)}")
        if not torch.isfinite(self.factor).all():
            raise ValueError("the factor holds values that are not finite")
        if not self.patch_shape:
            object.__setattr__(self, "patch_shape", (self.dim,))
        if math.prod(self.patch_shape) != self.dim:
            raise ValueError(f"a patch of shape {self.patch_shape} does not have {self.dim} entries")

    @property
    def dim(self) -> int:
        """d, the length of an input patch."""
        return self.factor.shape[1]

    @cached_property
    def rank(self) -> int:
        """Number of eigenvalues above rounding error: sqrt(l) > max(r, d) * eps * sqrt(l_max)."""
        return len(self._spectrum[0])

    def eigenvalues(self) -> Tensor:
        """The eigenvalues above rounding error, falling, shape (rank,), float64 on the CPU."""
        return self._spectrum[0]

    def trace(self) -> float:
        """Sum of the eigenvalues, ||F||_F^2."""
        # Some rows at a time: copies in float64 of a whole network's factors would fill the memory.
        return math.fsum(float(wide(rows).square().sum()) for rows in torch.split(self.factor, _ROWS_AT_ONCE))

    def dense(self) -> Tensor:
        """S itself, shape (d, d), in the factor's dtype and on its device."""
        return self.factor.T @ self.factor

    def power(self, p: float) -> FeatureMatrix:
        """S^p through the thin spectrum: with F = U s V^T, its factor is s^p V^T.

        Raises:
            ValueError: if p is not positive (S is singular as a rule).
        """
        if p <= 0:
            raise ValueError(f"a singular matrix has positive powers only, not {p}")
        if p == 1:
            return self
        eigenvalues, right = self._spectrum
        return replace(self, factor=self._like(eigenvalues.pow(p / 2)[:, None] * right))

    def scaled(self, *, trace: float) -> FeatureMatrix:
        """The multiple of S that has the given trace.

        Raises:
            ValueError: if S is zero, so that no multiple has.
        """
        now = self.trace()
        if now == 0:
            raise ValueError("a matrix of zeros cannot be scaled to a trace")
        return replace(self, factor=self.factor * math.sqrt(trace / now))

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """`n` draws from N(0, S), exact even where S is singular: Z F with Z ~ N(0, I_r).

        Args:
            n: number of draws.
            generator: draws Z; a CPU generator gives the same draws on every device.

        Returns:
            Shape (n, d), in the factor's dtype and on its device.
        """
        where = generator.device if generator is not None else torch.device("cpu")
        z = torch.randn(n, self.factor.shape[0], generator=generator, device=where)
        return z.to(self.factor) @ self.factor

    def inner(self, other: FeatureMatrix) -> float:
        """Frobenius inner product <S_a, S_b> = ||F_a F_b^T||_F^2.

        Raises:
            ValueError: if the two differ in d.
        """
        self._check_same_dim(other)
        return float((self._wide @ other._wide.T).square().sum())

    def correlation(self, other: FeatureMatrix) -> float:
        """Pearson correlation of all d^2 entries of two matrices (the measure of the Neural Feature Ansatz).

        NaN where one of the two is constant.

        Raises:
            ValueError: if the two differ in d.
        """
        self._check_same_dim(other)
        n = self.dim**2
        mean_a, mean_b = (float(m._wide.sum(1).square().sum()) / n for m in (self, other))
        covariance = self.inner(other) / n - mean_a * mean_b
        variance_a, variance_b = self.inner(self) / n - mean_a**2, other.inner(other) / n - mean_b**2
        # A constant matrix has no variance but for rounding.
        if min(variance_a / (mean_a**2 or 1), variance_b / (mean_b**2 or 1)) < 1e-12:
            return math.nan
        return covariance / math.sqrt(variance_a * variance_b)

    def eigenvectors(self, count: int) -> Tensor:
        """The eigenvectors of the largest eigenvalues, as patches.

        Returns:
            Shape (k, *patch_shape), of unit length, float64 on the CPU; k is `count`, or the rank if that is less.
            The sign of each is such that its largest entry is positive.
        """
        rows = self._spectrum[1][:count]
        largest = rows.gather(1, rows.abs().argmax(1, keepdim=True))
        return (rows * largest.sign()).reshape(-1, *self.patch_shape)

    def feature_map(
        self,
        images: Tensor,
        *,
        power: float = 1.0,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | str = 0,
        dilation: int | tuple[int, int] = 1,
    ) -> Tensor:
        """What the matrix sees in the input of its layer: ||S^p u||_2 of every patch u, min-max scaled an image.

        Args:
            images: input of the layer, shape (n, channels, h, w).
            power: p, of the matrix.
            stride: of the patches, as in a convolution.
            padding: zeros around the input, as in a convolution.
            dilation: of the patches, as in a convolution.

        Returns:
            Shape (n, h_out, w_out), values from 0 to 1.

        Raises:
            ValueError: if the matrix belongs to a linear layer.
        """
        if len(self.patch_shape) != 3:
            raise ValueError("a feature map needs a matrix over image patches")
        # ||S^p u||^2 = u^T S^2p u, so the factor of S^2p, used as filters, gives it without forming S^p.
        factor = self._squared if power == 1 else self.power(2 * power).factor
        filters = factor.reshape(-1, *self.patch_shape).to(images)
        with exact_products():
            responses = functional.conv2d(images, filters, stride=stride, padding=padding, dilation=dilation)
        norms: Tensor = torch.linalg.vector_norm(responses, dim=1)
        low, high = norms.amin((1, 2), keepdim=True), norms.amax((1, 2), keepdim=True)
        return (norms - low) / (high - low).clamp_min(torch.finfo(norms.dtype).tiny)

    @property
    def _squared(self) -> Tensor:
        """The factor of S^2, (F F^T)^(1/2) F: the spectrum of r rows is had many times sooner than that of F."""
        values, vectors = torch.linalg.eigh(self._wide @ self._wide.T)
        return self._like((vectors * values.clamp_min(0).sqrt()) @ (vectors.T @ self._wide))

    @cached_property
    def _wide(self) -> Tensor:
        return wide(self.factor)

    @cached_property
    def _spectrum(self) -> tuple[Tensor, Tensor]:
        """Eigenvalues (falling) and their eigenvectors as rows, from the thin SVD of the factor."""
        _, singular, right = torch.linalg.svd(wide(self.factor), full_matrices=False)
        tolerance = max(self.factor.shape) * torch.finfo(self.factor.dtype).eps
        kept = int((singular > tolerance * singular[:1]).sum())
        return singular[:kept].square(), right[:kept]

    def _like(self, wide: Tensor) -> Tensor:
        return wide.to(self.factor.dtype).to(self.factor.device)

    def _check_same_dim(self, other: FeatureMatrix) -> None:
        if self.dim != other.dim:
            raise ValueError(f"matrices of {self.dim} and {other.dim} dimensions cannot be compared")
