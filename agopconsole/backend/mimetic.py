"""Mimetic starts of self-attentions: weights whose products look like those of trained transformers.

Trockman & Kolter 2023, *Mimetic initialization of self-attention layers*: in trained vision transformers W_Q W_K^T of
a head has a positive diagonal, W_V W_proj a negative one. Both are drawn with such a diagonal and taken apart by the
SVD. Only attentions are started; their recipe leaves all other layers as the constructor made them, and starts
position embeddings from sines (`vit.build_vit`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from agopconsole.backend.layers import Attention, Slot, attentions
from agopconsole.backend.rng import stream
from agopconsole.errors import RequestError

NOISE_QK, DIAGONAL_QK = 0.7, 0.7
NOISE_V, DIAGONAL_V = 0.4, -0.4
"""The paper's alpha and beta for vision transformers, of W_Q W_K^T and of W_V W_proj."""


def start_attentions(every: Mapping[str, Slot], chosen: Mapping[str, Slot], seed: int) -> list[str]:
    """Starts the self-attentions among the chosen slots in place, their biases at 0; other slots stay as they are.

    Args:
        every: the slots of the network, by name.
        chosen: those under test.
        seed: each attention draws from a stream of its own.

    Returns:
        The names of the slots that were started.

    Raises:
        RequestError: if no attention is chosen, one is chosen in part, or one has widths that differ.
    """
    names = set(chosen)
    wanted = [one for one in attentions(every).values() if names & {slot.name for slot in one.slots}]
    if not wanted:
        where = "no layer under test is part of one" if attentions(every) else "this model has none"
        raise RequestError(f"init 'mimetic' starts self-attentions, and {where}")
    for attention in wanted:
        missing = [slot.name for slot in attention.slots if slot.name not in names]
        if missing:
            raise RequestError(
                f"init 'mimetic' starts q, k, v and the output projection of '{attention.name}' together, and "
                f"'{missing[0]}' is not under test"
            )
        _start(attention, stream(seed, "weights", attention.name))
    return [slot.name for attention in wanted for slot in attention.slots]


def mimetic_weights(width: int, heads: int, generator: torch.Generator | None = None) -> tuple[Tensor, ...]:
    """Weights of a self-attention, as torch lays them out: q = W_q u for a token u.

    For each head W_q^T W_k is the best approximation of rank width / heads to 0.7 Z + 0.7 I, and W_out W_v is the
    transpose of 0.4 Z - 0.4 I, with Z of independent entries N(0, 1/width): each product is split evenly, as
    (U S^(1/2)) (S^(1/2) V^T) with U S V^T its SVD.

    Args:
        width: d, of a token; a multiple of `heads`.
        heads: each has a Z of its own for q and k.
        generator: on the CPU.

    Returns:
        W_q, W_k, W_v and W_out, each of shape (d, d), in float32; rows of W_q, W_k, W_v belong to heads in order.
    """
    pairs = [_halves(width, width // heads, NOISE_QK, DIAGONAL_QK, generator) for _ in range(heads)]
    queries = torch.cat([left.T for left, _ in pairs])
    keys = torch.cat([right for _, right in pairs])
    left, right = _halves(width, width, NOISE_V, DIAGONAL_V, generator)
    return queries, keys, left.T, right.T


def _halves(
    width: int, rank: int, noise: float, diagonal: float, generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    """U S^(1/2), (width, rank), and S^(1/2) V^T, (rank, width): the largest part of noise Z + diagonal I."""
    drawn = torch.randn(width, width, generator=generator, dtype=torch.float64) / math.sqrt(width)
    u, s, v = torch.linalg.svd(noise * drawn + diagonal * torch.eye(width, dtype=torch.float64))
    root = s[:rank].sqrt()
    return (u[:, :rank] * root).float(), (root[:, None] * v[:rank]).float()


def _start(attention: Attention, generator: torch.Generator) -> None:
    width = attention.q.dim
    if len(attention.slots) < 4 or any(slot.weight.shape != (width, width) for slot in attention.slots):
        shapes = ", ".join(f"{slot.name} {tuple(slot.weight.shape)}" for slot in attention.slots)
        raise RequestError(
            f"init 'mimetic' starts self-attentions of one width with an output projection, and not {shapes}"
        )
    weights = mimetic_weights(width, attention.q.heads, generator)
    for slot, weight in zip(attention.slots, weights, strict=True):
        slot.write(weight)
