import pytest

from agopconsole.errors import RequestError
from agopconsole.methods import COMPOSABLE, METHODS, compose, preset_name


def test_every_preset_is_found_by_its_choices():
    assert [preset_name(method) for method in METHODS.values()] == list(METHODS)


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
    assert (found and preset_name(found)) == twin


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
    assert preset_name(compose("nfm", scale="kaiming")) == "kaiming_nfm"
    assert preset_name(compose("kaiming_normal", features="agop")) == "kaiming_agop"
    assert compose("nfm") == METHODS["nfm"]


@pytest.mark.parametrize("init", sorted(METHODS.keys() - set(COMPOSABLE)))
def test_a_fixed_recipe_takes_no_choices(init):
    with pytest.raises(RequestError, match=f"init '{init}' is a fixed recipe.*kaiming_nfm"):
        compose(init, scale="unit")


def test_the_poster_s_scale_is_none_of_the_presets_and_has_no_twin():
    method = compose("kaiming_nfm", scale="poster")
    assert (preset_name(method), method.twin()) == (None, None)


@pytest.mark.parametrize("init", ["kaiming_normal", "lecun_normal"])
def test_the_poster_s_scale_needs_features(init):
    with pytest.raises(RequestError, match="no isotropic form"):
        compose(init, scale="poster")
