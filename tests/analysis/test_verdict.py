"""What a start foretells, against what became of recorded runs with such starts."""

import math
from dataclasses import replace

import pytest
import torch

from agopconsole.analysis.verdict import in_words, is_sound, outlook, warnings
from agopconsole.backend.models import build_model
from agopconsole.backend.start import measure_start
from agopconsole.catalogue import MODELS
from agopconsole.metrics import LayerStart


def layer(name, outputs=2.0, common=1.0, participation=5.0, gradient=1.0):
    return LayerStart(name, 64, 576, 1.0, outputs, common, 0.1, participation, gradient)


# The extremes of first and later layers, of the shipped studies' runs 1, 3, 5, 7, 24, 9 and 67.
RECORDED = {
    "kaiming_uniform, learned": ("sound", layer("a", 1.1, 0.8, 9.3, 0.2), layer("h", 1.2, 1.6, 3.1, 5.2)),
    "lecun_normal, learned slowly": ("slow", layer("a", 0.8, 1.0, 9.0, 0.08), layer("h", 0.004, 1.0, 6.8, 0.05)),
    "kaiming_nfm, diverged": ("trouble", layer("a", 0.6, 0.7, 9.5, 757), layer("h", 2.8e7, 51, 1.0, 4.3e4)),
    "nfm, at chance": ("trouble", layer("a", 0.3, 0.7, 9.5, 100), layer("h", 1.1e5, 51, 1.0, 2660)),
    "agop, at chance": ("trouble", layer("a", 0.5, 0.7, 9.5, 9), layer("h", 1.1e4, 39, 1.0, 754)),
    "normal, learned": ("sound", layer("a", 0.08, 1.1, 7.0, 21.6), layer("h", 288.0, 1.1, 2.3, 81.1)),
    "pretrained, hardly learned": ("slow", layer("a", 0.6, 0.7, 9.5, 0.07), layer("h", 0.008, 90, 3.0, 0.07)),
}


@pytest.mark.parametrize("name", RECORDED)
def test_the_outlook_is_what_became_of_the_run(name):
    expected, *start = RECORDED[name]
    assert outlook(start) == expected
    assert in_words(start).startswith(f"{expected}: ")


def test_what_is_wrong_is_said_with_its_first_layer_and_its_worst_value():
    start = [layer("a"), layer("b", outputs=2500.0), layer("c", outputs=70_000.0), layer("d", participation=1.0)]
    assert warnings(start) == [
        ("trouble", "outputs explode: from b on their mean square goes up to 70,000, 2 would be sound"),
        ("trouble", "images look alike: from d on the directions they differ in go down to 1"),
    ]


def test_outputs_that_are_not_finite_are_trouble_and_no_number_is_made_up_for_them():
    ((grade, words),) = warnings([layer("a", outputs=math.nan)])
    assert grade == "trouble"
    assert "goes up to what is no number" in words


def test_a_single_value_is_judged_as_in_the_words():
    assert is_sound("output_mean_square", 2.0)
    assert not is_sound("output_mean_square", 0.01)
    assert not is_sound("output_mean_square", math.inf)
    assert not is_sound("gradient_ratio", 151.0)
    assert is_sound("weight_variance", 1e9)


def test_of_an_unknown_start_nothing_is_said():
    assert in_words([]) == ""


BAD = {"outputs": 70_000.0, "common": 50.0, "participation": 1.0, "gradient": 4000.0}


@pytest.mark.parametrize("measure", BAD)
def test_of_a_layer_with_a_batch_norm_behind_it_scale_and_common_mode_say_nothing(measure):
    start = [layer("a", **{measure: BAD[measure]}), layer("b")]
    assert outlook(start) != "sound"
    assert outlook(start, normed=("a",)) == "sound"
    assert "batch norm behind" in in_words(start, normed=("a",))
    assert "batch norm" not in in_words(start)


def test_what_is_no_number_is_trouble_behind_a_norm_as_well():
    assert outlook([layer("a", outputs=math.inf), layer("b")], normed=("a",)) == "trouble"
    assert not is_sound("output_mean_square", math.nan, normed=True)


def test_images_that_look_alike_above_norms_are_slow_and_below_them_trouble():
    alike, well = layer("a", participation=1.0), layer("b")
    assert outlook([alike, well], normed=("b",)) == "trouble"
    assert outlook([replace(well, layer="b"), alike], normed=("b",)) == "slow"
    assert outlook([well, layer("c", outputs=5000.0)], normed=("b",)) == "trouble"  # no norm tames the last layer


@pytest.mark.parametrize("model", ["vgg11", "vgg11_bn", "resnet18", "vit_tiny"])
def test_the_layers_with_a_norm_behind_them_are_those_that_their_scale_and_bias_say_nothing_of(model):
    """By the network itself: weights a thousand times as large, and a bias, leave its logits where they were."""
    network = build_model(model, classes=3, image_size=32, seed=0).double().train()
    images = torch.randn(6, 3, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = 1e-12
    with torch.no_grad():
        before = network(images)
        for name in (*MODELS[model].convolutions, *(n for n in MODELS[model].others if "." in n or n == "fc")):
            module = dict(network.named_modules()).get(name)
            if not isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
                continue  # q, k and v have no module of their own
            module.weight.mul_(1000)
            equal = torch.allclose(network(images), before, rtol=1e-6, atol=1e-6)
            module.weight.div_(1000)
            assert equal == (name in MODELS[model].normed), name


@pytest.mark.parametrize("factor", [0.01, 100.0])
def test_the_verdict_on_a_network_with_norms_does_not_hang_on_a_scale_that_they_take_out(factor):
    """Nothing that the network computes has changed, and so nothing that is foretold may."""
    network = build_model("vgg11_bn", classes=3, image_size=32, seed=0)
    images = torch.randn(16, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(16) % 3
    for name in MODELS["vgg11_bn"].normed:
        network.get_submodule(name).weight.data.mul_(factor)
    start = measure_start(network, images, labels)
    assert outlook(start, MODELS["vgg11_bn"].normed) == "sound"
    assert factor < 1 or outlook(start) == "trouble"
