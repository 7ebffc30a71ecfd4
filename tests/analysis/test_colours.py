"""Colours: the same for a method everywhere, apart from one another, and readable."""

import itertools
import math
import subprocess
import sys

import pytest

from agopconsole.analysis.colours import (
    _OF_STUDIES,
    faded,
    luminance,
    method_colour,
    run_colour,
    to_hex,
    to_rgb,
    to_unit,
)
from agopconsole.methods import METHODS
from agopconsole.study import read_study, studies_at_hand

OTHERS = [f"kaiming_nfm layers=first:{n}" for n in range(1, 9)]


def oklab(colour):
    """Björn Ottosson's OKLab, in which distances are about as large as they look."""
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_unit(colour))
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    medium = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def test_every_preset_has_a_colour_that_no_other_comes_near():
    for one, other in itertools.combinations(METHODS, 2):
        distance = math.dist(oklab(method_colour(one)), oklab(method_colour(other)))
        assert distance > 0.06, (one, other)


@pytest.mark.parametrize("name", ["cifar10", "cifar10_10k", "cifar10_whole", "first_experiment", "poster", "tune"])
def test_the_methods_of_a_study_can_be_told_apart(name):
    labels = {run.label for run in read_study(studies_at_hand()[name]).runs}
    for one, other in itertools.combinations(sorted(labels), 2):
        distance = math.dist(oklab(method_colour(one)), oklab(method_colour(other)))
        fixed = {one, other} <= {*METHODS}
        assert distance > (0.06 if fixed else 0.1), (one, other)


@pytest.mark.parametrize("label", [*METHODS, *_OF_STUDIES, *OTHERS])
def test_every_colour_can_be_read_on_dark_and_on_light(label):
    light = luminance(method_colour(label))
    assert (light + 0.05) / (luminance("#181818") + 0.05) >= 3
    assert 1.05 / (light + 0.05) >= 2


def test_labels_beyond_the_presets_have_colours_of_their_own():
    assert len({method_colour(label) for label in OTHERS}) == len(OTHERS)


def test_a_colour_is_the_same_in_every_process():
    code = f"from agopconsole.analysis.colours import method_colour; print(method_colour({OTHERS[0]!r}))"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in "12"
    }
    assert outputs == {method_colour(OTHERS[0]) + "\n"}


def test_repeats_differ_in_shade_and_the_first_has_the_methods_colour():
    shades = [run_colour("nfm", seed) for seed in range(5)]
    assert shades[0] == method_colour("nfm")
    assert len(set(shades)) == 5


def test_faded_is_nearer_to_grey():
    grey = oklab("#666666")
    assert math.dist(oklab(faded("#e69f00")), grey) < math.dist(oklab("#e69f00"), grey) / 1.5


def test_notations_agree():
    assert to_rgb("#0a80ff") == (10, 128, 255)
    assert to_hex(to_unit("#0a80ff")) == "#0a80ff"
