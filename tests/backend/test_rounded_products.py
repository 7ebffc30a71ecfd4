"""A linear layer in bfloat16 that rounds its weight within the product, against float64 and against the library's."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from agopconsole.backend.quicker import quickened
from agopconsole.backend.rounded_products import rounded_linear, suits_rounding


def numbers(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def distance(found: torch.Tensor, exact: torch.Tensor) -> float:
    return float((found.detach().double() - exact).norm() / exact.norm())


@pytest.mark.parametrize("lead", [(6,), (2, 3)])
@pytest.mark.parametrize("biased", [True, False])
def test_outputs_and_gradients_are_those_of_the_layer_but_for_rounding(lead, biased):
    rows, weight, bias, seed = (
        numbers((*lead, 120), 0),
        numbers((90, 120), 1),
        numbers((90,), 2),
        numbers((*lead, 90), 3),
    )
    exact = [tensor.requires_grad_() for tensor in ((rows, weight, bias) if biased else (rows, weight))]
    expected = torch.autograd.grad(functional.linear(*exact), exact, seed)
    given = [rows.detach().bfloat16().requires_grad_(), weight.detach().float().requires_grad_()]
    given += [bias.detach().float().requires_grad_()] if biased else []
    out = rounded_linear(given[0], given[1], given[2] if biased else None)
    assert out.dtype == torch.bfloat16
    assert out.shape == (*lead, 90)
    assert distance(out, functional.linear(*exact).detach()) < 5e-3
    for found, right, of in zip(torch.autograd.grad(out, given, seed.bfloat16()), expected, given, strict=True):
        assert found.dtype == of.dtype
        assert distance(found, right) < 5e-3


def test_what_it_changes_for_its_products_is_afterwards_as_it_was():
    switch = torch.backends.mkldnn.matmul
    before = switch.fp32_precision
    weight = torch.ones(3, 2, requires_grad=True)
    rounded_linear(torch.ones(1, 2, dtype=torch.bfloat16), weight, None).sum().backward()
    assert switch.fp32_precision == before
    with pytest.raises(RuntimeError):
        rounded_linear(torch.ones(1, 5, dtype=torch.bfloat16), weight, None)
    assert switch.fp32_precision == before


def test_layers_of_many_weights_and_few_rows_are_served():
    wide = nn.Linear(512, 512)
    assert suits_rounding(wide, torch.ones(64, 512, dtype=torch.bfloat16))
    assert not suits_rounding(wide, torch.ones(64, 50, 512, dtype=torch.bfloat16))
    assert not suits_rounding(wide, torch.ones(64, 512))
    assert not suits_rounding(nn.Linear(512, 512).bfloat16(), torch.ones(64, 512, dtype=torch.bfloat16))


def test_a_head_in_autocast_keeps_its_gradient_closer_to_float64_than_the_library_does():
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        head = nn.Sequential(nn.Linear(300, 200), nn.ReLU(), nn.Linear(200, 7))
    rows = torch.randn(8, 300, generator=generator).bfloat16().float()
    labels = torch.randint(7, (8,), generator=generator)

    def gradient(model: nn.Module, rows: torch.Tensor, *, rounded: bool) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=rounded):
            loss = functional.cross_entropy(model(rows).to(rows.dtype), labels)
        return torch.autograd.grad(loss, [model[0].weight])[0]

    library = gradient(head, rows, rounded=True)
    with quickened(head):
        quick = gradient(head, rows, rounded=True)
    exact = gradient(head.double(), rows.double(), rounded=False)
    assert not torch.equal(quick, quick.bfloat16().float())  # not a bfloat16 that was widened
    assert torch.equal(library, library.bfloat16().float())
    assert distance(quick, exact) < distance(library, exact) + 1e-3
