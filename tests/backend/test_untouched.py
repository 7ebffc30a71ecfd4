import pytest
import torch
from torch import nn

from agopconsole.backend.untouched import differentiable, stand_ins


def test_stand_ins_share_what_was_shared_and_go_even_after_an_error():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Linear(3, 3))
    model[2].weight = model[0].weight
    before = [*model.parameters(), *model.buffers()]
    with pytest.raises(ZeroDivisionError), stand_ins(model, torch.bfloat16):  # noqa: PT012
        assert model[2].weight is model[0].weight
        assert model[0].weight.dtype == model[1].running_mean.dtype == torch.bfloat16
        assert model[1].num_batches_tracked.dtype == torch.int64
        raise ZeroDivisionError
    assert all(now is then for now, then in zip([*model.parameters(), *model.buffers()], before, strict=True))


def test_what_was_frozen_is_frozen_again():
    frozen, free = nn.Parameter(torch.ones(2), requires_grad=False), nn.Parameter(torch.ones(2))
    with pytest.raises(ZeroDivisionError), differentiable([frozen, free]):  # noqa: PT012
        assert frozen.requires_grad
        raise ZeroDivisionError
    assert (frozen.requires_grad, free.requires_grad) == (False, True)
