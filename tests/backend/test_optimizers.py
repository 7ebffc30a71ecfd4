"""What an optimiser remembers of a parameter, laid out in memory as that is."""

import copy

import pytest
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from agopconsole.backend.optimizers import align_memory, build_optimizer
from agopconsole.spec import RunSpec


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_a_checkpoint_from_where_maps_lay_otherwise_is_gone_on_from_alike(name):
    generator = torch.Generator().manual_seed(0)
    plain = nn.Conv2d(3, 4, 3)
    spec = RunSpec.parse({"optimizer": name})
    first = build_optimizer(spec, list(plain.parameters()))

    def step(conv: nn.Conv2d, optimizer: torch.optim.Optimizer, gradient: torch.Tensor) -> None:
        conv.weight.grad = torch.empty_like(conv.weight).copy_(gradient)
        optimizer.step()

    gradients = torch.randn(3, 4, 3, 3, 3, generator=generator)
    step(plain, first, gradients[0])
    moved = copy.deepcopy(plain).to(memory_format=torch.channels_last)
    second = build_optimizer(spec, list(moved.parameters()))
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    align_memory(second)
    for gradient in gradients[1:]:
        step(plain, first, gradient)
        step(moved, second, gradient)
    torch.testing.assert_close(moved.weight, plain.weight)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_a_step_on_channels_last_weights_copies_nothing_and_leaves_everything_in_shape(name):
    conv = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
    optimizer = build_optimizer(RunSpec.parse({"optimizer": name}), list(conv.parameters()))
    for _ in range(2):
        conv(torch.ones(1, 3, 5, 5)).sum().backward()
        with profile(activities=[ProfilerActivity.CPU]) as watched:
            optimizer.step()
        assert "aten::clone" not in {event.name for event in watched.events()}
        remembered = [value for value in optimizer.state[conv.weight].values() if value.dim()]
        assert remembered
        for tensor in (conv.weight, conv.weight.grad, *remembered):
            assert tensor.shape == (4, 3, 3, 3)
            assert tensor.is_contiguous(memory_format=torch.channels_last)
