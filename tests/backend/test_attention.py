"""AGOP of attention projections against the Jacobian with respect to an input copy that feeds q, k or v only."""

import pytest
import torch
from torch import Tensor, nn
from torch.func import jacrev
from torch.nn import functional

from agopconsole.backend import agop, nfm

WIDTH, HEADS = 8, 2


class Attends(nn.Module):
    """An attention between 5 tokens of an image and 5, or 3 others, computed from it; 3 outputs."""

    def __init__(
        self, *, cross: bool = False, batch_first: bool = True, need_weights: bool = False, **widths
    ) -> None:
        super().__init__()
        self.cross, self.batch_first, self.need_weights = cross, batch_first, need_weights
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=batch_first, **widths)
        self.head = nn.Linear(WIDTH, 3)
        kdim, vdim = widths.get("kdim", WIDTH), widths.get("vdim", WIDTH)
        self.register_buffer("to_k", torch.randn(WIDTH, kdim, generator=torch.Generator().manual_seed(5)))
        self.register_buffer("to_v", torch.randn(WIDTH, vdim, generator=torch.Generator().manual_seed(6)))

    def inputs(self, x: Tensor) -> list[Tensor]:
        if not self.cross:
            return [x, x, x]
        memory = x[:, 1:4].tanh()
        return [x, memory @ self.to_k, memory @ self.to_v]

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.inputs(x) if self.cross else (x, x, x)
        if not self.batch_first:
            same = q is k
            q = q.transpose(0, 1)
            k, v = (q, q) if same else (k.transpose(0, 1), v.transpose(0, 1))
        y = self.attention(q, k, v, need_weights=self.need_weights)[0]
        return self.head(functional.gelu(y).mean(1 if self.batch_first else 0))

    def plainly(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """The outputs for one image, from the three inputs (tokens, width), computed anew."""
        a = self.attention
        weights = a.in_proj_weight.chunk(3) if a.in_proj_weight is not None else None
        w_q, w_k, w_v = weights or (a.q_proj_weight, a.k_proj_weight, a.v_proj_weight)
        b_q, b_k, b_v = a.in_proj_bias.chunk(3)
        q, k, v = (
            (u @ w.T + b).unflatten(-1, (HEADS, -1)).transpose(0, 1)
            for u, w, b in ((q, w_q, b_q), (k, w_k, b_k), (v, w_v, b_v))
        )
        y = ((q @ k.mT) / (WIDTH // HEADS) ** 0.5).softmax(-1) @ v
        y = y.transpose(0, 1).flatten(1) @ a.out_proj.weight.T + a.out_proj.bias
        return self.head(functional.gelu(y).mean(0))


def made(**options) -> Attends:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = Attends(**options).double().eval()
        nn.init.normal_(net.attention.in_proj_bias)
    return net


def tokens(n: int = 3) -> Tensor:
    return torch.randn(n, 5, WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def by_definition(net: Attends, number: int, images: Tensor) -> Tensor:
    total = 0
    for image in images:
        inputs = [u[0].detach() for u in net.inputs(image[None])]
        gradients = jacrev(net.plainly, argnums=number)(*inputs)  # (outputs, tokens, d)
        total = total + torch.einsum("ktd,kte->de", gradients, gradients) / gradients.shape[1]
    return (total / len(images)).detach()


KINDS = {
    "self": {},
    "self, batch second": {"batch_first": False},
    "self, with weights": {"need_weights": True},
    "cross": {"cross": True},
    "cross, batch second": {"cross": True, "batch_first": False},
    "separate": {"cross": True, "kdim": 6, "vdim": 7},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("frozen", [False, True])
def test_q_k_and_v_equal_the_jacobian_of_the_input_that_feeds_each(kind, frozen):
    net = made(**KINDS[kind])
    net.requires_grad_(not frozen)  # without gradients in eval mode torch takes a fused way
    matrices = agop(net, tokens())
    assert list(matrices) == ["attention.q", "attention.k", "attention.v", "attention.out_proj", "head"]
    for number, part in enumerate("qkv"):
        expected = by_definition(net, number, tokens())
        assert (matrices[f"attention.{part}"].dense() - expected).norm() < 1e-10 * expected.norm()


def test_heads_are_the_rows_that_count():
    net = made()
    first, second, both = (agop(net, tokens(), heads=heads) for heads in ((0,), (1,), (0, 1)))
    for part in ("v", "q"):
        value = net.attention.in_proj_weight.detach().chunk(3)["qkv".index(part)]
        assert torch.allclose(nfm(net, heads=(1,))[f"attention.{part}"].dense(), value[4:].T @ value[4:])
        assert torch.allclose(both[f"attention.{part}"].dense(), agop(net, tokens())[f"attention.{part}"].dense())
    # One head's matrix is what is left of the AGOP when the rows of the others are zero in W but not in the pass.
    key = "attention.v"
    basis = net.attention.in_proj_weight.detach().chunk(3)[2]
    assert torch.linalg.matrix_rank(torch.cat([first[key].dense(), basis[:4]])) == 4
    assert torch.linalg.matrix_rank(torch.cat([second[key].dense(), basis[4:]])) == 4
    with pytest.raises(ValueError, match="has the heads 0 to 1, not"):
        agop(net, tokens(), heads=(2,))


@pytest.mark.parametrize("head", [0, 1])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_one_heads_matrix_equals_the_jacobian_of_that_heads_projection(head, number):
    net = made()
    rows = torch.zeros(WIDTH, 1, dtype=torch.float64)
    rows[head * WIDTH // HEADS : (head + 1) * WIDTH // HEADS] = 1
    weight, bias = net.attention.in_proj_weight.chunk(3)[number], net.attention.in_proj_bias.chunk(3)[number]
    total = 0
    for image in tokens():
        z = (image @ weight.T + bias).detach()

        def through(z, image=image):  # the same input to the other two, and an input that gives this z to this one
            u = torch.linalg.solve(weight, (z - bias).T).T
            return net.plainly(*(u if n == number else image for n in range(3)))

        gradients = (jacrev(through)(z) * rows.T) @ weight  # (outputs, tokens, d), through the head's rows alone
        total = total + torch.einsum("ktd,kte->de", gradients, gradients) / gradients.shape[1] / len(tokens())
    found = agop(net, tokens(), heads=(head,))[f"attention.{'qkv'[number]}"].dense()
    assert (found - total).norm() < 1e-9 * total.norm()


def test_the_output_projection_equals_the_jacobian_of_what_feeds_it():
    net = made()
    out = net.attention.out_proj
    total = 0
    for image in tokens():
        a = net.attention
        q, k, v = (
            (image @ w.T + b).unflatten(-1, (HEADS, -1)).transpose(0, 1)
            for w, b in zip(a.in_proj_weight.chunk(3), a.in_proj_bias.chunk(3), strict=True)
        )
        u = (((q @ k.mT) / (WIDTH // HEADS) ** 0.5).softmax(-1) @ v).transpose(0, 1).flatten(1).detach()
        gradients = jacrev(lambda u: net.head(functional.gelu(u @ out.weight.T + out.bias).mean(0)))(u)
        total = total + torch.einsum("ktd,kte->de", gradients, gradients) / gradients.shape[1] / len(tokens())
    found = agop(net, tokens())["attention.out_proj"].dense()
    assert (found - total).norm() < 1e-10 * total.norm()


def test_an_attention_that_fails_leaves_no_trace():
    net = made().train()
    with pytest.raises((RuntimeError, AssertionError)):
        agop(net, tokens()[..., :4])
    assert net.training
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in net.modules())
    assert torch.overrides._get_current_function_mode() is None


def test_a_transformers_encoder_is_seen_through_its_fused_way():
    layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 12, batch_first=True)
    net = nn.Sequential(nn.TransformerEncoder(layer, 2), nn.Flatten(), nn.Linear(5 * WIDTH, 3))
    net = net.double().eval().requires_grad_(False)
    names = [f"0.layers.{i}.{part}" for i in range(2) for part in ("self_attn.q", "self_attn.out_proj", "linear2")]
    found = agop(net, tokens())
    assert set(names) < set(found)
    assert all(found[name].trace() > 0 for name in names)
