"""What a network can be asked for, checked without building it."""

import pytest

from agopconsole.catalogue import check_model
from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec

BLOCK = "encoder.layers.encoder_layer_1"


@pytest.mark.parametrize(
    "layers",
    ["conv", "all", "attention", "first:1", BLOCK, f"{BLOCK}.self_attention", f"{BLOCK}.mlp.0,conv_proj"],
)
def test_layers_of_a_transformer_are_named_one_by_one_or_by_what_holds_them(layers):
    check_model("vit_tiny", 32, layers)


@pytest.mark.parametrize(
    ("model", "size", "layers", "message"),
    [
        ("vgg11", 31, "conv", "image_size must be at least 32 for vgg11, not 31"),
        ("vit_tiny", 30, "conv", "image_size must be a multiple of 4 for vit_tiny, not 30"),
        ("vit_b_32", 48, "conv", "image_size must be a multiple of 32 for vit_b_32, not 48"),
        ("vgg11", 32, "attention", "layers 'attention': vgg11 has none; choose from the models vit_tiny, vit_b_32"),
        ("vit_tiny", 32, "first:2", "layers 'first:2': vit_tiny has 1 convolution$"),
        ("vit_tiny", 32, f"{BLOCK}.mlp.1", f"vit_tiny has no {BLOCK}.mlp.1; choose from conv_proj, encoder.*_0, enc"),
        ("vit_tiny", 32, "encoder.layers.encoder_layer_", "vit_tiny has no encoder.layers.encoder_layer_;"),
        ("vgg11", 32, "nothing at all", "none of conv, all, attention, first:N, or names separated by commas"),
    ],
)
def test_what_a_network_cannot_be_asked_for(model, size, layers, message):
    with pytest.raises(RequestError, match=message):
        check_model(model, size, layers)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"layers": "attention"}, "layers 'attention': vgg11 has none"),
        (
            {"layers": "all"},
            "init 'mimetic' starts self-attentions, and vgg11 has none; choose from vit_tiny, vit_b_32",
        ),
        ({"model": "vit_tiny"}, "and layers 'conv' names none: ask for attention"),
        ({"model": "vit_tiny", "layers": "first:1"}, "and layers 'first:1' names none: ask for attention"),
        ({"model": "vit_tiny", "layers": f"{BLOCK}.mlp"}, "names none: ask for attention"),
        (
            {"model": "vit_tiny", "layers": f"{BLOCK}.self_attention.q,{BLOCK}.mlp"},
            f"together: ask for {BLOCK}.self_att",
        ),
    ],
)
def test_a_mimetic_start_needs_attentions(fields, message):
    with pytest.raises(RequestError, match=message):
        RunSpec.parse({"init": "mimetic", **fields})
    for layers in ("all", "attention", BLOCK, "encoder", f"conv_proj,{BLOCK}.self_attention"):
        assert RunSpec.parse({"init": "mimetic", "model": "vit_tiny", "layers": layers}).label.startswith("mimetic")


def test_vit_tiny_has_no_weights_of_imagenet_and_needs_none_without_features():
    with pytest.raises(RequestError, match="source 'imagenet': there are no such weights of vit_tiny; train one"):
        RunSpec.parse({"model": "vit_tiny", "init": "kaiming_nfm"})
    assert RunSpec.parse({"model": "vit_tiny", "init": "kaiming_normal"}).source == "imagenet"
    assert RunSpec.parse({"model": "vit_b_32", "init": "kaiming_nfm", "image_size": 224}).fed_size == 224
