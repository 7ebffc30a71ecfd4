"""What a start foretells, against what became of recorded runs with such starts."""

import math

import pytest

from agopconsole.analysis.verdict import in_words, is_sound, outlook, warnings
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
        ("trouble", "images look alike: from d on they differ in as few as 1 directions"),
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
