"""The networks: torchvision's convolutions, heads of the right size, and a constructor with a stream of its own."""

import pytest
import torch
import torchvision

from agopconsole.backend.layers import attentions, weight_slots
from agopconsole.backend.models import build_for_weights, build_model
from agopconsole.catalogue import MODELS


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("size", [32, 64])
def test_every_model_maps_small_images_to_its_classes(name, size):
    with torch.device("meta" if name == "vit_b_32" else "cpu"):  # 88 million weights take their time to draw
        model = build_model(name, classes=7, image_size=size).eval()
        assert model(torch.zeros(2, 3, size, size)).shape == (2, 7)


@pytest.mark.parametrize("name", sorted(MODELS.keys() - {"vit_tiny"}))
def test_all_but_the_head_is_torchvisions_by_name_and_shape(name):
    size = 224 if name == "vit_b_32" else 32
    with torch.device("meta"):
        theirs = torchvision.models.get_model(name, weights=None).state_dict()
        ours = build_model(name, classes=7, image_size=size).state_dict()
    bodies = [
        {key: tensor.shape for key, tensor in state.items() if not key.startswith(("classifier", "fc", "heads"))}
        for state in (theirs, ours)
    ]
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("size", [32, 224])
def test_the_catalogue_names_every_layer_in_order(name, size):
    with torch.device("meta"):
        slots = weight_slots(build_model(name, classes=7, image_size=size))
    convolutions = tuple(key for key, slot in slots.items() if slot.is_convolution)
    assert MODELS[name].convolutions == convolutions
    assert MODELS[name].patches == tuple(slots[key].patch_shape for key in convolutions)
    assert MODELS[name].others == tuple(key for key in slots if key not in convolutions)
    assert MODELS[name].attentions == tuple(attentions(slots))


def test_the_head_is_compact_for_small_images_and_torchvisions_for_large():
    small = build_model("vgg11", classes=10, image_size=64).state_dict()
    large = build_model("vgg11", classes=10, image_size=224).state_dict()
    shapes = [[tuple(s[f"classifier.{i}.weight"].shape) for i in (0, 3, 6)] for s in (small, large)]
    assert shapes == [[(512, 512), (512, 512), (10, 512)], [(4096, 25088), (4096, 4096), (10, 4096)]]


def test_a_seed_draws_one_network_and_leaves_the_global_stream_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, again, other = (build_model("vgg11", classes=10, image_size=32, seed=s) for s in (1, 1, 2))
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.classifier[0].weight, other.classifier[0].weight)


@pytest.mark.parametrize(("name", "size"), [("vgg11", 32), ("vgg11_bn", 32), ("resnet18", 32), ("vit_tiny", 48)])
def test_the_head_is_read_off_the_weights(name, size):
    weights = build_model(name, classes=13, image_size=size).state_dict()
    rebuilt = build_for_weights(name, weights)
    assert {k: v.shape for k, v in rebuilt.state_dict().items()} == {k: v.shape for k, v in weights.items()}


def test_weights_without_a_head_build_nothing():
    assert build_for_weights("vgg11", {"features.0.weight": torch.zeros(64, 3, 3, 3)}) is None
