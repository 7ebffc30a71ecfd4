"""The start of a network against plain computations over unfolded patches."""

import math

import pytest
import torch
from helpers.brute_force import patches_of
from helpers.networks import odd_net, small_swin, small_vit, some_images
from torch import nn
from torch.nn import functional

from agopconsole.backend import measure_start
from agopconsole.backend.initialization import initialize
from agopconsole.backend.models import build_model

LABELS = torch.tensor([0, 1, 2, 3])


def starts():
    net = odd_net(torch.float32).eval()
    net.norm.reset_running_stats()
    images = some_images(4, torch.float32)
    found = {start.layer: start for start in measure_start(net, images, LABELS)}
    net.norm.train()  # what the definitions are computed from below sees the batch's own statistics, too
    return net, images, found


def inputs_and_outputs(net, images, name):
    seen = []
    layer = net.get_submodule(name)
    handle = layer.register_forward_hook(lambda m, i, o: seen.append((i[0].clone(), o.detach().clone())))
    net(images)
    handle.remove()
    return seen[0]


def test_layers_come_in_forward_order_with_their_shapes():
    _, _, found = starts()
    assert list(found) == ["wide", "grouped", "strided", "hidden", "head"]
    assert (found["grouped"].c_out, found["grouped"].dim) == (8, 27)


@pytest.mark.parametrize("name", ["wide", "grouped", "strided", "hidden", "head"])
def test_each_number_is_what_its_definition_says(name):
    net, images, found = starts()
    layer, start = net.get_submodule(name), found[name]
    inputs, outputs = inputs_and_outputs(net, images, name)
    weight = layer.weight.detach()
    assert start.weight_variance == pytest.approx(float(weight.square().mean()) * start.dim / 2, rel=1e-5)
    assert start.output_mean_square == pytest.approx(float(outputs.square().mean()), rel=1e-5)
    patches = torch.stack([patches_of(layer, image[None]) for image in inputs])  # (n, groups, d, positions)
    mean_patch = patches.mean((0, 3))
    mean_patch = mean_patch.detach()
    blocks = weight.flatten(1).reshape(len(mean_patch), -1, start.dim)
    mode = sum(float((w @ m).square().sum()) for w, m in zip(blocks, mean_patch, strict=True))
    isotropic = sum(
        float(w.square().sum() * m.square().sum()) / start.dim for w, m in zip(blocks, mean_patch, strict=True)
    )
    assert start.common_mode == pytest.approx(mode / isotropic, rel=1e-3)
    flat = outputs.detach().flatten(1)
    between = float(flat.var(0, correction=0).mean() / flat.square().mean())
    assert start.between_share == pytest.approx(between, rel=1e-4)
    covariance = torch.cov(flat.double().T, correction=0).reshape(flat.shape[1], -1)
    values = torch.linalg.eigvalsh(covariance)
    assert start.participation_ratio == pytest.approx(float(values.sum() ** 2 / values.square().sum()), rel=1e-3)
    loss = functional.cross_entropy(net(images), LABELS)
    (gradient,) = torch.autograd.grad(loss, layer.weight)
    assert start.gradient_ratio == pytest.approx(float(gradient.norm() / weight.norm()), rel=1e-4)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_padding_may_be_a_word(padding):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(2, 3, (2, 3), padding=padding, dilation=(3, 2)), nn.Flatten(), nn.LazyLinear(4))
    images = torch.randn(4, 2, 9, 9)
    net(images)
    start = measure_start(net, images, LABELS)[0]
    padded = images if padding == "valid" else functional.pad(images, (2, 2, 1, 2))
    mean_patch = functional.unfold(padded, (2, 3), dilation=(3, 2)).mean((0, 2))
    weight = net[0].weight.detach().flatten(1)
    isotropic = weight.square().sum() * mean_patch.square().sum() / 12
    assert start.common_mode == pytest.approx(float((weight @ mean_patch).square().sum() / isotropic), rel=1e-3)


def test_the_network_is_left_as_it_was():
    net = odd_net(torch.float32).train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    measure_start(net, some_images(4, torch.float32), LABELS)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert net.training
    assert net.wide.weight.grad is None
    assert all(not module._forward_hooks for module in net.modules())


def test_a_kaiming_start_of_vgg11_keeps_its_scale_and_a_small_one_does_not():
    images = torch.randn(16, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(16) % 10
    model = build_model("vgg11", classes=10, image_size=32)
    initialize(model, "kaiming_normal")
    kaiming = measure_start(model, images, labels)
    initialize(model, "lecun_normal")
    halved = measure_start(model, images, labels)
    last_conv = 7
    assert 0.5 < kaiming[last_conv].output_mean_square < 8
    assert all(0.8 < layer.weight_variance < 1.2 for layer in kaiming[: last_conv + 1])
    # Half the variance in each of 8 layers: 2^-8 of the mean square at the last one.
    ratio = halved[last_conv].output_mean_square / kaiming[last_conv].output_mean_square
    assert math.log2(ratio) == pytest.approx(-8, abs=0.01)


def test_frozen_weights_are_measured_as_free_ones_and_stay_frozen():
    net, images, free = starts()
    net.eval().requires_grad_(False)
    assert {start.layer: start for start in measure_start(net, images, LABELS)} == free
    assert not any(parameter.requires_grad for parameter in net.parameters())


def test_q_k_and_v_and_the_output_projection_are_measured_image_by_image():
    """By hand from the first block's attention: its input, and z = W u + b image by image."""
    net = small_vit()
    block = net.encoder.layers[0]
    images = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    seen = {}
    hook = block.self_attention.register_forward_hook(lambda m, i, o: seen.update(u=i[0].detach(), out=o[0].detach()))
    loss = functional.cross_entropy(net(images), LABELS)
    (gradient,) = torch.autograd.grad(loss, block.self_attention.in_proj_weight)
    hook.remove()
    found = {
        start.layer.removeprefix("encoder.layers.encoder_layer_0."): start
        for start in measure_start(net, images, LABELS)
    }
    weights, biases = (
        getattr(block.self_attention, f"in_proj_{name}").detach().chunk(3) for name in ("weight", "bias")
    )
    outputs = {f"self_attention.{part}": seen["u"] @ weights[i].T + biases[i] for i, part in enumerate("qkv")} | {
        "self_attention.out_proj": seen["out"]
    }
    for name, z in outputs.items():
        start, flat = found[name], z.flatten(1)
        assert start.output_mean_square == pytest.approx(float(z.square().mean()), rel=1e-4)
        assert start.between_share == pytest.approx(
            float(z.var(0, correction=0).mean() / z.square().mean()), rel=1e-4
        )
        values = torch.linalg.eigvalsh(gram(flat.double()))
        assert start.participation_ratio == pytest.approx(float(values.sum() ** 2 / values.square().sum()), rel=1e-3)
    for i, part in enumerate("qkv"):
        start, mean = found[f"self_attention.{part}"], seen["u"].mean((0, 1))
        mode = float((weights[i] @ mean).square().sum())
        isotropic = float(weights[i].square().sum() * mean.square().sum()) / 16
        assert start.common_mode == pytest.approx(mode / isotropic, rel=1e-3)
        ratio = gradient.chunk(3)[i].norm() / weights[i].norm()
        assert start.gradient_ratio == pytest.approx(float(ratio), rel=1e-4)
        assert (start.c_out, start.dim) == (16, 16)


def gram(rows):
    centred = rows - rows.mean(0)
    return centred @ centred.T


def test_windows_belong_to_their_image():
    net = small_swin()
    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    found = {start.layer: start for start in measure_start(net, images, LABELS)}
    block = net.features[1][0]
    u = net.features[0](images)  # (n, 8, 8, 16): four windows an image
    q = (block.norm1(u) @ block.attn.qkv.weight[:16].T + block.attn.qkv.bias[:16]).detach()
    start = found["features.1.0.attn.qkv.q"]
    assert start.between_share == pytest.approx(float(q.var(0, correction=0).mean() / q.square().mean()), rel=1e-4)
    values = torch.linalg.eigvalsh(gram(q.flatten(1).double()))
    assert start.participation_ratio == pytest.approx(float(values.sum() ** 2 / values.square().sum()), rel=1e-3)
