"""The engine on networks of torchvision: every key has a matrix, NFM and AGOP name the same, and starts are drawn."""

import math
from collections.abc import Collection

import pytest
import torch
from helpers.networks import small_swin
from torch import nn
from torchvision import models
from torchvision.models.convnext import CNBlockConfig, ConvNeXt

from agopconsole.backend import agop, initialize, measure_start, nfm
from agopconsole.backend.extract import UnreachedWarning
from agopconsole.backend.layers import weight_slots

SIZES = {"shufflenet_v2_x0_5": 32, "squeezenet1_1": 32, "regnet_y_400mf": 32, "resnext50_32x4d": 32}
AUXILIARY = {f"aux{i}.{part}" for i in (1, 2) for part in ("conv.conv", "fc1", "fc2")}


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def check(net: nn.Module, size: int, unreached: Collection[str] = ()) -> set[str]:
    features = nfm(net)
    gradients = agop(net, torch.randn(2, 3, size, size), 2, generator=torch.Generator().manual_seed(0))
    assert list(gradients) == [key for key in features if key not in unreached]
    for matrices in (features, gradients):
        assert all(0 < float(matrix.trace()) < math.inf for matrix in matrices.values())
    return set(gradients)


@pytest.mark.parametrize("name", SIZES)
def test_every_weight_has_both_matrices(name):
    check(models.get_model(name, weights=None, num_classes=4), SIZES[name])


def test_a_vit_has_a_matrix_for_each_of_q_k_and_v():
    net = models.VisionTransformer(32, 8, 2, 2, 16, 24, num_classes=4)
    nn.init.normal_(net.heads.head.weight)  # torchvision's zeros let no gradient through
    keys = check(net, 32)
    parts = {f"encoder.layers.encoder_layer_{i}.self_attention.{part}" for i in range(2) for part in "qkv"}
    assert parts | {"conv_proj"} < keys


def test_auxiliary_heads_are_said_to_be_unreached():
    net = models.googlenet(weights=None, num_classes=4, aux_logits=True, init_weights=False)
    with pytest.warns(UnreachedWarning, match=r"aux1\.conv\.conv"):
        check(net, 32, unreached=AUXILIARY)


NEWER = {
    "mobilenet_v3_small": lambda: models.mobilenet_v3_small(num_classes=4),
    "mnasnet0_5": lambda: models.mnasnet0_5(num_classes=4),
    "swin": small_swin,
    "convnext": lambda: ConvNeXt([CNBlockConfig(16, 32, 2), CNBlockConfig(32, None, 1)], num_classes=4),
}


@pytest.mark.parametrize("name", NEWER)
def test_depthwise_and_windowed_networks_have_matrices_and_start_from_them(name):
    """A depthwise filter behind which a ReLU is dead for all images has an AGOP of 0: it is a layer that has none."""
    net, images = NEWER[name](), torch.randn(2, 3, 32, 32)
    slots, features = weight_slots(net), nfm(net)
    gradients = agop(net, images, 2, generator=torch.Generator().manual_seed(0))
    assert list(gradients) == list(features) == [key for slot in slots.values() for key in slot.keys]
    assert all(0 < float(matrix.trace()) < math.inf for matrix in features.values())
    for slot in slots.values():
        assert 0 < sum(float(gradients[key].trace()) for key in slot.keys) < math.inf
    # Each depthwise filter has a matrix of rank 1, so that what is drawn from it points where it points.
    fresh = NEWER[name]()
    initialize(fresh, "kaiming_nfm", features=features, layers="all")
    for key, slot in weight_slots(fresh).items():
        if slot.groups > 1 and len(slot.weight) == slot.groups:
            drawn, theirs = (x.weight.flatten(1) for x in (slot, slots[key]))
            assert nn.functional.cosine_similarity(drawn, theirs).abs().min() > 0.999
    assert [start.layer for start in measure_start(fresh, images, torch.tensor([0, 1]))] == list(slots)
