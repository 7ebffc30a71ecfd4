"""What may be done to the directions of a feature matrix before filters are drawn from it."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from agopconsole.backend.feature_matrix import FeatureMatrix, wide


def rotated(matrix: FeatureMatrix, generator: torch.Generator, without: Tensor | None = None) -> FeatureMatrix:
    """The same spectrum with random eigenvectors: do the directions matter, or the spectrum alone?

    Args:
        matrix: S = F^T F, d x d, F of shape (r, d).
        generator: on the CPU; draws the eigenvectors, uniform over all orthonormal frames (Haar, by the QR of
            Gaussian numbers with the signs of R put right: Mezzadri 2007).
        without: a direction, shape (d,), in which S has nothing: the frames are those at right angles to it. That the
            Gaussian numbers look the same from every side, they do in that plane, too.
    """
    factor = wide(matrix.factor)
    small = factor if factor.shape[0] <= factor.shape[1] else torch.linalg.qr(factor).R
    eigenvalues = torch.linalg.eigvalsh(small @ small.T).clamp_min(0)
    if without is not None and without.any():
        eigenvalues = eigenvalues[-(matrix.dim - 1) :]  # in rising order; S has one dimension less
        numbers = without_direction(torch.randn(matrix.dim, len(eigenvalues), generator=generator).T, without.cpu()).T
    else:
        numbers = torch.randn(matrix.dim, len(eigenvalues), generator=generator)
    frame, triangle = torch.linalg.qr(numbers)
    frame = frame * triangle.diagonal().sign()
    return replace(matrix, factor=(eigenvalues.sqrt().float()[:, None] * frame.T).to(matrix.factor))


def centred(matrix: FeatureMatrix, mean_patch: Tensor) -> FeatureMatrix:
    """P S P with P = I - m m^T / |m|^2: filters drawn from it do not answer to the mean patch `m`, shape (d,).

    A mean of 0 has no direction, and leaves the matrix as it is.
    """
    return replace(matrix, factor=without_direction(matrix.factor, mean_patch))


def without_direction(rows: Tensor, direction: Tensor) -> Tensor:
    """The rows, shape (n, d), less their part along `direction`, shape (d,)."""
    length = float(direction.norm())
    if length == 0:
        return rows
    unit = (direction / length).to(rows)
    return rows - (rows @ unit)[:, None] * unit


def aligned(matrix: FeatureMatrix, turn: Tensor) -> FeatureMatrix:
    """The matrix of a source carried over to the channels of a new network (rainbow networks, Guth et al. 2023).

    Args:
        matrix: over patches of c channels, in the source's order.
        turn: A, shape (c, c), orthogonal; its row i is the source's channel i in the new network's (`procrustes`).

    Returns:
        The matrix of u -> S-filters applied to A u, channel by channel of the patch.
    """
    channels = matrix.patch_shape[0]
    taps = matrix.factor.reshape(len(matrix.factor), channels, -1)
    return replace(matrix, factor=torch.einsum("rik,ij->rjk", taps, turn.to(taps)).flatten(1))


def procrustes(source: Tensor, new: Tensor) -> Tensor:
    """The orthogonal map of channels that best turns the new network's activations into the source's.

    With U s V^T the SVD of the centred E[source new^T] it is U V^T (Schoenemann 1966). Where the two are equal, as
    below the first layer, it is the identity, which their covariance alone need not determine.

    Args:
        source: activations of some images, shape (n, c, ...).
        new: those of the same images at the same places, of the same shape.

    Returns:
        A, shape (c, c), with source ~ A new.
    """
    if torch.equal(source, new):
        return torch.eye(source.shape[1])
    a, b = (wide(x).transpose(0, 1).flatten(1) for x in (source, new))
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    u, _, v = torch.linalg.svd(a @ b.T)
    turn: Tensor = u @ v
    return turn.float()
