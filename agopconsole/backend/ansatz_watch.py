"""The ansatz of a network while it trains: its correlations after the epochs that a run asks for."""

from __future__ import annotations

import torch
from torch import nn

from agopconsole.backend.ansatz import measure_ansatz
from agopconsole.backend.data import Pictures
from agopconsole.backend.extract import ALL, nfm
from agopconsole.backend.layers import choose_slots
from agopconsole.backend.rng import stream
from agopconsole.backend.source_features import EXACT_OUTPUTS
from agopconsole.metrics import EpochAnsatz
from agopconsole.spec import RunSpec

IMAGES = 64
"""Training images that the AGOP is averaged over, the same in every epoch and under every method and seed."""


class AnsatzWatch:
    """Measures one network; it must be made before the network has moved from its start.

    Nothing of it touches the random numbers of the training: a run that is watched has the same history.

    Args:
        spec: says after which epochs, and of which layers.
        model: the network at its start, on its device.
        pictures: holds the training images.
        train: their indices.
        outputs: number of outputs, K; above 32 as many random probes stand for them.
    """

    def __init__(
        self, spec: RunSpec, model: nn.Module, pictures: Pictures, train: torch.Tensor, outputs: int
    ) -> None:
        self._epochs = frozenset(spec.ansatz_at)
        if not self._epochs:
            return
        self._spec, self._model, self._pictures = spec, model, pictures
        self._initial = nfm(model)
        order = torch.randperm(len(train), generator=stream(spec.split_seed, "ansatz"))[:IMAGES]
        self._chosen = train[order]
        self._outputs = ALL if outputs <= EXACT_OUTPUTS else EXACT_OUTPUTS

    def after(self, epoch: int) -> EpochAnsatz | None:
        """The correlations of every matrix of the layers under test now, or None if they were not asked for.

        Raises:
            ValueError: if the network has no AGOP, as `extract.agop` says.
        """
        if epoch not in self._epochs:
            return None
        images, _ = self._pictures.batch(self._chosen)
        layers = measure_ansatz(
            self._model,
            images,
            initial=self._initial,
            outputs=self._outputs,
            layers=choose_slots(self._model, self._spec.layers),
            generator=stream(self._spec.split_seed, "ansatz probes"),
        )
        return EpochAnsatz(epoch, layers)
