import contextlib
import itertools

import pytest

from agopconsole.errors import RequestError
from agopconsole.methods import BASES, COMPOSABLE, FEATURES, METHODS, SCALES, Method, compose, spelling


def name_of(method):
    return " ".join(value for value in spelling(method).values() if value)


def composed_methods():
    for init, features, scale, basis in itertools.product(
        METHODS, [None, *FEATURES], [None, *SCALES], [None, *BASES]
    ):
        with contextlib.suppress(RequestError):
            yield compose(init, features, scale, basis)


def test_every_preset_is_found_by_its_choices():
    assert [name_of(method) for method in METHODS.values()] == list(METHODS)


def test_every_method_is_written_in_one_way_that_gives_it_back():
    methods = set(composed_methods())
    # 3 features x 3 scales x 5 bases, less the isotropic filters' 3 bases that change nothing, and the poster's two;
    # of the fixed recipes, the 8 that draw or copy with and without lsuv, default and mimetic.
    assert len(methods) == (3 * 3 * 5 - 3 * 3) + 2 + 2 * 8 + 2
    assert len({name_of(method) for method in methods}) == len(methods)
    assert all(compose(**spelling(method)) == method for method in methods)


@pytest.mark.parametrize(
    ("choices", "name"),
    [
        (("nfm", None, "lsuv", "centred"), "nfm lsuv centred"),
        (("kaiming_nfm", None, "lsuv", "centred"), "nfm lsuv centred"),
        (("kaiming_normal", "agop", None, "rotated"), "kaiming_agop rotated"),
        (("nfm", None, "poster", None), "kaiming_nfm poster"),
        (("orthogonal", None, "lsuv", None), "lsuv"),
        (("pretrained", None, "lsuv", None), "pretrained lsuv"),
        (("lecun_normal", None, "lsuv", "aligned"), "kaiming_normal lsuv"),
        (("nfm", None, "lsuv", "centred_rotated"), "nfm lsuv centred_rotated"),
        (("lecun_normal", None, "lsuv", "centred_rotated"), "kaiming_normal lsuv centred"),
    ],
)
def test_a_method_is_named_after_the_nearest_preset(choices, name):
    assert name_of(compose(*choices)) == name


def test_what_needs_images():
    assert [name for name, method in METHODS.items() if method.needs_images] == ["lsuv"]
    needing = {m for m in composed_methods() if m.needs_images}
    assert {(m.scale == "lsuv") or m.basis in ("centred", "centred_rotated", "aligned") for m in needing} == {True}
    assert Method(features="nfm", basis="rotated") not in needing


@pytest.mark.parametrize(
    ("init", "twin"),
    [
        ("nfm", "lecun_normal"),
        ("agop", "lecun_normal"),
        ("kaiming_nfm", "kaiming_normal"),
        ("kaiming_agop", "kaiming_normal"),
        ("kaiming_normal", None),
        ("pretrained", None),
        ("default", None),
    ],
)
def test_feature_methods_have_an_isotropic_twin(init, twin):
    found = METHODS[init].twin()
    assert (found and name_of(found)) == twin


@pytest.mark.parametrize(
    ("method", "twin"),
    [
        (Method(features="nfm", scale="lsuv", basis="centred"), "kaiming_normal lsuv centred"),
        (Method(features="agop", scale="unit", basis="centred"), "lecun_normal centred"),
        (Method(features="agop", scale="unit", basis="centred_rotated"), "lecun_normal centred"),
        (Method(features="nfm", scale="lsuv", basis="centred_rotated"), "kaiming_normal lsuv centred"),
        (Method(features="agop", scale="kaiming", basis="rotated"), "kaiming_normal"),
        (Method(features="nfm", scale="lsuv", basis="aligned"), "kaiming_normal lsuv"),
        (Method(features="isotropic", scale="lsuv", basis="centred"), None),
    ],
)
def test_a_twin_has_the_scale_and_the_basis_as_far_as_it_means_something(method, twin):
    found = method.twin()
    assert (found and name_of(found)) == twin


def test_what_needs_a_source():
    assert [name for name, method in METHODS.items() if method.needs_source] == [
        "nfm",
        "agop",
        "kaiming_nfm",
        "kaiming_agop",
        "pretrained",
    ]
    assert [name for name, method in METHODS.items() if method.needs_source and not method.needs_features] == [
        "pretrained"
    ]


def test_choices_replace_those_of_the_preset():
    assert name_of(compose("nfm", scale="kaiming")) == "kaiming_nfm"
    assert name_of(compose("kaiming_normal", features="agop")) == "kaiming_agop"
    assert compose("nfm") == METHODS["nfm"]


@pytest.mark.parametrize("init", sorted(METHODS.keys() - set(COMPOSABLE)))
@pytest.mark.parametrize(
    "choice", [{"scale": "unit"}, {"scale": "kaiming"}, {"features": "nfm"}, {"basis": "rotated"}]
)
def test_a_fixed_recipe_takes_no_choice_but_lsuv(init, choice):
    with pytest.raises(RequestError, match=f"init '{init}' is a fixed recipe.*kaiming_nfm"):
        compose(init, **choice)


@pytest.mark.parametrize("init", ["default", "mimetic"])
def test_some_recipes_take_no_choice_at_all(init):
    with pytest.raises(RequestError, match=f"init '{init}' is a fixed recipe and takes nothing else"):
        compose(init, scale="lsuv")


def test_the_poster_s_scale_is_none_of_the_presets_and_has_no_twin():
    method = compose("kaiming_nfm", scale="poster")
    assert (name_of(method), method.twin()) == ("kaiming_nfm poster", None)
    with pytest.raises(RequestError, match="no basis 'rotated'"):
        compose("kaiming_nfm", scale="poster", basis="rotated")


@pytest.mark.parametrize("init", ["kaiming_normal", "lecun_normal"])
def test_the_poster_s_scale_needs_features(init):
    with pytest.raises(RequestError, match="no isotropic form"):
        compose(init, scale="poster")
