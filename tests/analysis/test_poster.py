"""The source study's table beside ours."""

import pytest
from helpers.reports import rows_of
from helpers.stored_runs import add_seeds

from agopconsole.analysis import poster
from agopconsole.analysis.report import build_report


def test_the_poster_s_table_is_whole():
    assert sum(len(row) for row in poster.TABLE.values()) == 28
    assert poster.TABLE["svhn"]["normal"] == 92.35
    assert poster.TABLE["cifar10"]["nfm"] == 79.32
    assert poster.TABLE["cifar100"]["kaiming_nfm"] == 48.33
    assert poster.TABLE["tiny_imagenet"]["agop"] == 29.56
    assert sum(sum(row.values()) for row in poster.TABLE.values()) == pytest.approx(1716.16)


def test_the_poster_s_number_stands_in_its_cell_alone(store):
    add_seeds(store, "kaiming_nfm", [70.0], dataset="cifar10")
    add_seeds(store, "kaiming_nfm", [70.0], dataset="cifar10", scale="poster")
    add_seeds(store, "kaiming_nfm", [70.0], dataset="cifar10", classes="0-4")
    add_seeds(store, "kaiming_nfm", [70.0], dataset="cifar10", model="vgg16")
    add_seeds(store, "kaiming_agop", [70.0], dataset="cifar10")
    add_seeds(store, "kaiming_nfm", [70.0], dataset="digits")
    references = [row["reference"] for row in rows_of(store, against="poster")]
    assert sorted(references, key=lambda value: value is None) == [78.69, 78.69, None, None, None, None]
    assert {row["reference"] for row in rows_of(store)} == {None}


def test_the_caveat_says_what_differs_from_the_poster_s_recipe(store):
    add_seeds(store, "agop", [70.0, 71.0], dataset="svhn", epochs=5)
    caveat = build_report(store, against="poster").caveat
    assert "epochs 5 not 20" in caveat
    assert "image_size 32 not 224" in caveat
    assert "scale unit not poster" in caveat
    assert "agop_images 64 not 11" in caveat
    assert "seeds 2 not 3" in caveat

    assert "batch_size" not in caveat
    assert "source" not in caveat


def test_the_seeds_of_a_table_are_told_as_a_span(store):
    add_seeds(store, "agop", [70.0, 71.0], dataset="svhn")
    add_seeds(store, "nfm", [70.0], dataset="svhn")
    assert "seeds 1 to 2 not 3" in build_report(store, against="poster").caveat


def test_the_poster_s_own_recipe_has_no_caveat_but_the_missing_error_bars(store):
    add_seeds(store, "nfm", [70.0, 71.0, 72.0], dataset="svhn", image_size=224, scale="poster", agop_images=11)
    assert build_report(store, against="poster").caveat.endswith("no error bars; its recipe")


def test_a_study_of_other_things_has_no_number_of_the_poster(store):
    add_seeds(store, "normal", [70.0], dataset="digits")
    assert "no row is in its table" in build_report(store, against="poster").caveat
