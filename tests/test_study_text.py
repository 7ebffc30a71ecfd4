"""A study that was written as TOML is read back as it was."""

import tomllib
from dataclasses import replace

from agopconsole.spec import RunSpec
from agopconsole.study import expand
from agopconsole.study_text import study_text


def written(*given, seeds=(0, 2), **options):
    specs = [RunSpec.parse(fields) for fields in given]
    text = study_text(specs, name="a-best", description='of "é\\', seeds=seeds, baseline=specs[0].label, **options)
    return specs, text, expand(tomllib.loads(text), "untitled")


def test_what_is_written_is_read_back():
    shared = {"dataset": "cifar10", "epochs": 3, "source": "dataset:digits:0-4", "model": "vgg13"}
    specs, text, study = written(
        {**shared, "init": "kaiming_normal", "lr": 1e-5, "weight_decay": 0.0},
        {**shared, "init": "agop", "lr": 0.0123, "agop_power": 0.5, "scale": "lsuv", "basis": "centred"},
        heading="one line",
    )
    expected = [replace(spec, seed=seed, study="a-best", name="") for seed in (0, 2) for spec in specs]
    assert list(study.runs) == expected
    assert (study.name, study.description, study.baseline) == ("a-best", 'of "é\\', "kaiming_normal")
    assert text.startswith("# one line\n\nname = ")


def test_what_all_runs_share_stands_once():
    _, text, _ = written({"init": "normal", "epochs": 3, "lr": 0.5}, {"init": "uniform", "epochs": 3, "lr": 0.25})
    assert text.count("epochs") == 1
    assert '{ init = "uniform", lr = 0.25 }' in text


def test_methods_of_several_data_sets_stand_side_by_side():
    specs, _, study = written(
        {"init": "normal", "dataset": "mnist"}, {"init": "normal", "dataset": "svhn"}, seeds=[1]
    )
    assert [(run.dataset, run.seed) for run in study.runs] == [(spec.dataset, 1) for spec in specs]
