"""Which run a spec's source asks for: of its own network or another, in later rounds, or none."""

import dataclasses
import json

import pytest

from agopconsole.spec import RunSpec


def parse(**given):
    return RunSpec.parse(given)


def test_a_source_data_set_becomes_a_run():
    spec = parse(init="agop", source="dataset:fashion_mnist:0-4", dataset="mnist", seed=7, source_epochs=3, study="s")
    source = spec.source_run()
    assert (source.dataset, source.classes, source.epochs, source.optimizer) == ("fashion_mnist", "0-4", 3, "adamw")
    assert (source.study, source.name, source.seed) == ("s", "source fashion_mnist 0-4", 0)
    assert RunSpec.parse(json.loads(source.to_json())) == source


def test_a_source_of_another_network_becomes_a_run_of_that_network():
    given = {"init": "nfm", "model": "vgg11_bn", "source": "dataset:digits"}
    source = parse(**given, source_model="vgg11", round=2).source_run().source_run()
    assert (source.model, source.source_model) == ("vgg11", None)
    assert source == parse(**{**given, "model": "vgg11"}).source_run()
    assert parse(**given).source_run().model == "vgg11_bn"
    assert parse(**given, source_model="vgg11").fingerprint != parse(**given).fingerprint


def test_layers_of_a_source_that_correspond_to_none_are_left_to_the_fallback_and_to_those_not_under_test():
    given = {"init": "nfm", "model": "vgg13", "source_model": "vgg11", "source": "a.pt"}
    assert parse(**given, fallback="default").source_model == "vgg11"
    for layers in ("first:2", "features.0,features.2", "classifier.0"):
        assert parse(**given, layers=layers).source_model == "vgg11"


def test_a_source_does_not_depend_on_who_asks_for_it():
    askers = [
        {"init": "nfm"},
        {"init": "agop", "seed": 3, "lr": 0.5, "epochs": 2},
        {"init": "pretrained", "dataset": "svhn"},
    ]
    assert len({parse(source="dataset:digits", **asker).source_run().fingerprint for asker in askers}) == 1


@pytest.mark.parametrize(
    "given", [{"init": "normal", "source": "dataset:digits"}, {"init": "nfm", "source": "run:3"}]
)
def test_other_sources_need_no_run_before(given):
    assert parse(**given).source_run() is None


def test_a_later_round_starts_from_the_same_run_one_round_before():
    spec = parse(init="agop", source="run:5", seed=7, epochs=3, study="s", agop_power=0.5, round=3)
    second = spec.source_run()
    assert second == dataclasses.replace(spec, round=2)
    first = second.source_run()
    assert (first, first.source_run()) == (dataclasses.replace(spec, round=1), None)
    assert len({run.fingerprint for run in (spec, second, first)}) == 3


def test_from_noise_the_round_before_the_second_is_the_twin():
    spec = parse(init="agop", source="noise", seed=7, round=2)
    assert spec.source_run() == parse(init="lecun_normal", seed=7)


def test_a_source_folder_becomes_a_run():
    source = parse(init="nfm", source="dataset:imagefolder:/a:b").source_run()
    assert (source.dataset, source.classes) == ("imagefolder:/a:b", "")
