"""Mimetic starts against the definition, head by head in float64, and by what an attention with them does."""

import pytest
import torch
from helpers.networks import small_swin, small_vit
from torch import nn
from torchvision.models import get_model

from agopconsole.backend import initialize
from agopconsole.backend.layers import attentions, weight_slots
from agopconsole.backend.mimetic import mimetic_weights
from agopconsole.errors import RequestError
from agopconsole.methods import METHODS

WIDTH, HEADS = 48, 3
EYE = torch.eye(WIDTH, dtype=torch.float64)


def drawn(seed=0):
    return [w.double() for w in mimetic_weights(WIDTH, HEADS, torch.Generator().manual_seed(seed))]


def test_products_are_what_the_paper_asks_for():
    q, k, v, out = drawn()
    generator = torch.Generator().manual_seed(0)  # the same numbers, in the same order
    noise = [torch.randn(WIDTH, WIDTH, generator=generator, dtype=torch.float64) / WIDTH**0.5 for _ in range(4)]
    for rows, z in zip(torch.arange(WIDTH).chunk(HEADS), noise, strict=False):
        wanted = 0.7 * z + 0.7 * EYE
        u, s, v_t = torch.linalg.svd(wanted)
        s[len(rows) :] = 0
        found = q[rows].T @ k[rows]
        assert torch.allclose(found, u @ s.diag() @ v_t, atol=1e-5)
        # Nothing of that rank is nearer: Eckart & Young 1936.
        left = torch.linalg.svdvals(wanted)[len(rows) :].square().sum().sqrt()
        assert torch.linalg.norm(found - wanted) == pytest.approx(float(left), rel=1e-5)
        assert torch.allclose(q[rows] @ q[rows].T, k[rows] @ k[rows].T, atol=1e-5)  # split evenly
    assert torch.allclose((out @ v).T, 0.4 * noise[3] - 0.4 * EYE, atol=1e-5)
    assert torch.allclose(v @ v.T, out.T @ out, atol=1e-5)


def test_diagonals_and_noise_have_the_papers_size():
    """Over 40 draws of 48 x 48: W_out W_v + 0.4 I has mean 0 and entries of 0.4 / sqrt(48)."""
    products = torch.stack([out @ v for _, _, v, out in (drawn(seed) for seed in range(40))])
    diagonals = products.diagonal(dim1=1, dim2=2)
    assert float(diagonals.mean()) == pytest.approx(-0.4, abs=0.005)  # its standard deviation: 0.0013
    assert float((products + 0.4 * EYE).square().mean() ** 0.5) == pytest.approx(0.4 / 48**0.5, rel=0.02)
    scores = torch.stack([q[:16].T @ k[:16] for q, k, _, _ in (drawn(seed) for seed in range(40))])
    assert float(scores.diagonal(dim1=1, dim2=2).mean()) > 5 * float(scores.mean().abs())


@pytest.mark.parametrize("batch_first", [True, False])
def test_a_started_attention_subtracts_a_part_of_what_it_attends_to(batch_first):
    """With one token all attend to it: the output is W_out W_v u, about -0.4 u with noise at right angles to it."""
    net = nn.Sequential(nn.MultiheadAttention(256, 4, batch_first=batch_first))
    assert initialize(net, "mimetic", layers="attention") == dict.fromkeys(
        ["0.q", "0.k", "0.v", "0.out_proj"], "method"
    )
    u = torch.randn(1, 1, 256, generator=torch.Generator().manual_seed(1))
    along = float((net[0](u, u, u)[0].detach() * u).sum() / u.square().sum())
    assert along == pytest.approx(-0.4, abs=0.1)  # 0.4 z with z of standard deviation 1/16
    assert not any(bias.detach().any() for bias in (net[0].in_proj_bias, net[0].out_proj.bias))


@pytest.mark.parametrize("make", [small_vit, small_swin])
def test_attentions_of_torchvision_are_started_and_nothing_else(make):
    net, before = make(), make().state_dict()
    started = initialize(net, "mimetic", layers="all", seed=3)
    slots = weight_slots(net)
    parts = [slot.name for attention in attentions(slots).values() for slot in attention.slots]
    assert sorted(started) == sorted(parts)
    assert len(parts) == 8
    for attention in attentions(slots).values():
        product = (attention.out.weight @ attention.v.weight).diagonal().mean()
        assert -0.6 < float(product) < -0.2
    changed = {name for name, tensor in net.state_dict().items() if not torch.equal(tensor, before[name])}
    owners = {slots[name].layer for name in parts}
    assert {name.rpartition(".")[0] for name in changed} <= owners | {name.rpartition(".")[0] for name in owners}


def test_a_seed_draws_one_start_and_attentions_draw_apart():
    first, again, other = small_vit(), small_vit(), small_vit()
    for net, seed in ((first, 1), (again, 1), (other, 2)):
        initialize(net, "mimetic", layers="attention", seed=seed)
    weights = [[block.self_attention.in_proj_weight for block in net.encoder.layers] for net in (first, again, other)]
    assert torch.equal(weights[0][0], weights[1][0])
    assert not torch.equal(weights[0][0], weights[2][0])
    assert not torch.equal(weights[0][0], weights[0][1])


class Cross(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, kdim=6, vdim=6)


@pytest.mark.parametrize(
    ("make", "layers", "message"),
    [
        (lambda: get_model("resnet18"), "all", "init 'mimetic' starts self-attentions, and this model has none"),
        (small_vit, "conv", "no layer under test is part of one"),
        (small_vit, "encoder.layers.encoder_layer_0.self_attention.q", "'.*_0.self_attention.k' is not under test"),
        (Cross, "all", r"self-attentions of one width.*attention.k \(4, 6\)"),
    ],
)
def test_what_is_no_whole_self_attention_is_said(make, layers, message):
    with pytest.raises(RequestError, match=message):
        initialize(make(), "mimetic", layers=layers)


def test_it_needs_neither_source_nor_images_and_has_no_twin():
    method = METHODS["mimetic"]
    assert (method.needs_source, method.needs_images, method.twin()) == (False, False, None)
