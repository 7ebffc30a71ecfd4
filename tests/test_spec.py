import dataclasses
import json
from pathlib import Path

import pytest

from agopconsole import catalogue
from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec, field_types, parse_classes

OTHER_VALUES = {
    "model": "vgg16",
    "dataset": "svhn",
    "init": "kaiming_nfm",
    "source": "dataset:digits",
    "scale": "poster",
    "layers": "first:2",
    "fallback": "default",
    "epochs": 3,
    "batch_size": 32,
    "optimizer": "adamw",
    "lr": 0.5,
    "momentum": 0.5,
    "weight_decay": 0.25,
    "schedule": "cosine",
    "image_size": 64,
    "augment": "flip",
    "seed": 1,
    "split_seed": 1,
    "val_fraction": 0.5,
    "classes": "0-4",
    "limit": 100,
    "precision": "bfloat16",
    "agop_power": 0.5,
    "agop_images": 11,
    "agop_outputs": "all",
}
SOURCE_VALUES = {"source_epochs": 3, "source_optimizer": "sgd", "source_lr": 0.5, "source_seed": 1}


def parse(**given):
    return RunSpec.parse(given)


def refusal(**given):
    with pytest.raises(RequestError) as caught:
        RunSpec.parse(given)
    return str(caught.value)


def test_the_defaults_are_a_run():
    spec = parse()
    assert (spec.model, spec.dataset, spec.init, spec.source) == ("vgg11", "digits", "kaiming_uniform", "imagenet")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"inti": "nfm"}, "unknown field 'inti'; did you mean 'init'"),
        ({"model": "vgg12"}, "unknown model 'vgg12'; did you mean"),
        ({"model": 11}, "model must be text, not 11"),
        ({"model": None}, "model must be text, not null"),
        ({"dataset": "cifar"}, "unknown dataset 'cifar'; did you mean 'cifar10'"),
        ({"dataset": "imagefolder:"}, "unknown dataset 'imagefolder:'"),
        ({"init": "kaiming"}, "unknown init 'kaiming'"),
        ({"init": "kaiming_uniform", "scale": "unit"}, "init 'kaiming_uniform' is a fixed recipe"),
        ({"init": "normal", "features": "nfm"}, "is a fixed recipe"),
        ({"init": "kaiming_normal", "scale": "poster"}, "no isotropic form"),
        ({"init": "nfm", "features": "agp"}, "unknown features 'agp'; did you mean 'agop'"),
        ({"init": "nfm", "scale": "big"}, "unknown scale 'big'"),
        ({"init": "nfm", "basis": "mine"}, "unknown basis 'mine'"),
        ({"init": "nfm", "source": "image_net"}, "unknown source 'image_net'; choose from imagenet, run:ID"),
        ({"init": "nfm", "source": "run:0"}, "unknown source 'run:0'"),
        ({"init": "nfm", "source": "run:x"}, "unknown source 'run:x'"),
        ({"init": "nfm", "source": f"run:{10**30}"}, "unknown source 'run:1"),
        ({"init": "nfm", "source": "weights.bin"}, "unknown source 'weights.bin'"),
        ({"init": "nfm", "source": "dataset:mnits"}, "unknown source data set 'mnits'; did you mean 'mnist'"),
        ({"init": "nfm", "source": "dataset:digits:0-10"}, "digits has the classes 0 to 9"),
        ({"init": "nfm", "source_model": "vgg12"}, "unknown source_model 'vgg12'; did you mean"),
        ({"init": "nfm", "source_model": "vit_tiny"}, "there are no such weights of vit_tiny; train one"),
        (
            {"init": "nfm", "source_model": "resnet18"},
            "source_model 'resnet18': layer 'features.0' of vgg11 corresponds to none of it: a filter of it sees "
            "3 x 3 x 3, one of the source's convolution 1, 'conv1', 3 x 7 x 7",
        ),
        (
            {"init": "nfm", "model": "vgg13", "source_model": "vgg11", "layers": "features.22"},
            "layer 'features.22' of vgg13 corresponds to none of it: it is convolution 10, and the source has 8",
        ),
        (
            {
                "init": "nfm",
                "model": "resnet18",
                "image_size": 16,
                "fallback": "default",
                "source_model": "vgg11",
                "source": "dataset:digits",
            },
            "image_size must be at least 32 for vgg11, not 16",
        ),
        ({"layers": "first:0"}, "layers 'first:0'"),
        ({"layers": "first"}, "layers 'first'"),
        ({"layers": ""}, "layers ''"),
        ({"layers": "features.0,"}, "layers 'features.0,'"),
        ({"layers": "features.0,conv9"}, "vgg11 has no conv9; choose from features.0, features.3"),
        ({"layers": "first:9"}, "layers 'first:9': vgg11 has 8 convolutions"),
        ({"layers": "conv2", "model": "resnet18"}, "resnet18 has no conv2; choose from conv1, layer1.0.conv1"),
        ({"init": "nfm", "fallback": "zero"}, "unknown fallback 'zero'"),
        ({"init": "nfm", "round": 0}, "round must be at least 1 and at most 100, not 0"),
        ({"init": "pretrained", "source": "noise"}, "source 'noise' has nothing that pretrained could start from"),
        ({"init": "nfm", "scale": "poster", "source": "noise"}, "has nothing that kaiming_nfm scale=poster could"),
        ({"epochs": 0}, "epochs must be at least 1, not 0"),
        ({"epochs": 1.5}, "epochs must be a whole number, not 1.5"),
        ({"epochs": True}, "epochs must be a whole number, not true"),
        ({"epochs": "20"}, 'epochs must be a whole number, not "20"'),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"optimizer": "adam"}, "unknown optimizer 'adam'; did you mean 'adamw'"),
        ({"lr": 0}, "lr must be above 0, not 0"),
        ({"lr": float("nan")}, "lr must be a finite number, not nan"),
        ({"lr": float("inf")}, "lr must be a finite number, not inf"),
        ({"lr": "fast"}, 'lr must be a number, not "fast"'),
        ({"momentum": 1}, "momentum must be at least 0 and below 1, not 1"),
        ({"weight_decay": -1}, "weight_decay must be at least 0"),
        ({"schedule": "linear"}, "unknown schedule 'linear'"),
        ({"image_size": 4}, "image_size must be at least 8"),
        ({"image_size": 100_000_000}, "image_size must be at least 8 and at most 4096"),
        ({"image_size": 16}, "image_size must be at least 32 for vgg11, not 16"),
        ({"augment": "rotate"}, "unknown augment 'rotate'"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"seed": 2**63}, "seed must be no larger than 9223372036854775807"),
        ({"lr": 10**400}, "lr must be no larger than"),
        ({"split_seed": -1}, "split_seed must be at least 0"),
        ({"val_fraction": 0}, "val_fraction must be above 0 and below 1"),
        ({"val_fraction": 1.0}, "val_fraction must be above 0 and below 1"),
        ({"classes": "0-10"}, "digits has the classes 0 to 9"),
        ({"classes": "3"}, "leaves 1 class"),
        ({"classes": "a-b"}, "not of the form 0-4"),
        ({"limit": 0}, "limit must be at least 1"),
        ({"precision": "float8"}, "unknown precision 'float8'"),
        ({"device": "gpu"}, "unknown device 'gpu'; choose from auto, cpu, mps, cuda"),
        ({"device": "cuda:"}, "unknown device 'cuda:'"),
        ({"agop_power": 0}, "agop_power must be above 0"),
        ({"agop_images": 0}, "agop_images must be at least 1"),
        ({"agop_outputs": "some"}, "agop_outputs must be auto, all or a number"),
        ({"agop_outputs": 0}, "agop_outputs must be auto, all or a number"),
        ({"source_epochs": 0}, "source_epochs must be at least 1"),
        ({"source_optimizer": "x"}, "unknown source_optimizer 'x'"),
        ({"source_lr": 0}, "source_lr must be above 0"),
        ({"source_seed": -1}, "source_seed must be at least 0"),
        ({"name": 3}, "name must be text, not 3"),
        ({"name": "two\nlines"}, 'name must be one line of printable text, not "two\\nlines"'),
        ({"name": "\udcff"}, "name must be one line of printable text"),
        ({"dataset": "imagefolder:a\0b"}, "dataset must be one line of printable text"),
        ({"study": ["a"]}, 'study must be text, not ["a"]'),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_wrong(given, words):
    assert words in refusal(**given)


def test_every_field_has_a_help_text():
    assert all(f.metadata["help"] for f in dataclasses.fields(RunSpec))


def test_fields_say_their_type_and_whether_they_may_be_empty():
    types = field_types()
    assert (types["epochs"], types["limit"], types["scale"]) == ((int, False), (int, True), (str, True))


@pytest.mark.parametrize(
    "source", ["imagenet", "run:12", "dataset:mnist", "dataset:mnist:0-4", "a/b.pt", "x.safetensors"]
)
def test_sources(source):
    assert parse(init="nfm", source=source).source == source


@pytest.mark.parametrize("layers", ["conv", "all", "first:3", "features.0", "features.0,features.3"])
def test_layers(layers):
    assert parse(layers=layers).layers == layers


@pytest.mark.parametrize("device", ["auto", "cpu", "mps", "cuda", "cuda:3"])
def test_devices(device):
    assert parse(device=device).device == device


def test_whole_numbers_pass_for_numbers():
    spec = parse(lr=1, agop_outputs=16, init="agop")
    assert (spec.lr, type(spec.lr), spec.agop_outputs) == (1.0, float, "16")


@pytest.mark.parametrize(
    ("text", "indices"),
    [("0-4", (0, 1, 2, 3, 4)), ("0,2,7", (0, 2, 7)), ("7,0-2", (0, 1, 2, 7)), ("1, 3 - 4", (1, 3, 4))],
)
def test_classes(text, indices):
    assert parse_classes(text) == indices


@pytest.mark.parametrize("text", ["", "-", "1-", "4-2", "0,1,4-2", "1;2", "-1,2"])
def test_wrong_classes(text):
    with pytest.raises(RequestError, match="classes"):
        parse_classes(text)


def test_classes_of_folders_are_checked_once_they_are_read():
    assert parse(dataset="imagefolder:/pictures", classes="0-500").class_indices[-1] == 500


@pytest.mark.parametrize("init", ["kaiming_uniform", "nfm", "agop", "pretrained"])
def test_json_keeps_every_field(init):
    values = {name: value for name, value in OTHER_VALUES.items() if name not in ("init", "scale")}
    spec = parse(init=init, name="a name", study="a study", device="cuda:1", **values)
    assert RunSpec.from_json(spec.to_json()) == spec
    assert set(json.loads(spec.to_json())) == {f.name for f in dataclasses.fields(RunSpec)}


def test_a_spec_of_an_earlier_version_gets_today_s_defaults():
    fields = json.loads(parse(seed=4).to_json())
    del fields["agop_outputs"]
    assert RunSpec.from_json(json.dumps(fields)) == parse(seed=4)


def test_two_seeds_are_two_runs():
    fingerprints = {parse(init="agop", seed=seed).fingerprint for seed in range(500)}
    assert len(fingerprints) == 500


@pytest.mark.parametrize("field", sorted(OTHER_VALUES))
def test_whatever_changes_the_numbers_changes_the_fingerprint(field):
    base = {"init": "agop"}
    assert parse(**{**base, field: OTHER_VALUES[field]}).fingerprint != parse(**base).fingerprint


@pytest.mark.parametrize("field", sorted(SOURCE_VALUES))
def test_the_source_s_own_recipe_changes_the_fingerprint_where_it_is_trained(field):
    base = {"init": "nfm", "source": "dataset:digits"}
    assert parse(**{**base, field: SOURCE_VALUES[field]}).fingerprint != parse(**base).fingerprint
    imagenet = {"init": "nfm", "source": "imagenet"}
    assert parse(**{**imagenet, field: SOURCE_VALUES[field]}) == parse(**imagenet)


def test_name_study_and_device_leave_the_fingerprint_alone():
    assert parse(name="a", study="b", device="cuda:1").fingerprint == parse().fingerprint


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ({"source": "mine.pt", "fallback": "default", **SOURCE_VALUES}, {}),
        ({"agop_power": 0.5, "agop_images": 11, "agop_outputs": "all"}, {}),
        ({"init": "nfm", "agop_power": 0.5}, {"init": "nfm"}),
        ({"init": "default", "layers": "first:2"}, {"init": "default"}),
        ({"init": "nfm", "scale": "kaiming"}, {"init": "kaiming_nfm"}),
        ({"init": "kaiming_normal", "scale": "unit"}, {"init": "lecun_normal"}),
        ({"init": "kaiming_normal", "features": "agop"}, {"init": "kaiming_agop"}),
        ({"init": "kaiming_nfm", "scale": "lsuv"}, {"init": "nfm", "scale": "lsuv"}),
        (
            {"init": "kaiming_normal", "features": "nfm", "basis": "centred"},
            {"init": "kaiming_nfm", "basis": "centred"},
        ),
        ({"init": "kaiming_normal", "basis": "aligned"}, {"init": "kaiming_normal"}),
        (
            {"init": "kaiming_normal", "basis": "centred_rotated"},
            {"init": "kaiming_normal", "basis": "centred"},
        ),
        ({"init": "orthogonal", "scale": "lsuv"}, {"init": "lsuv"}),
        ({"init": "kaiming_normal", "round": 3}, {"init": "kaiming_normal"}),
        ({"init": "kaiming_agop", "source": "noise", "agop_power": 0.5}, {"init": "kaiming_normal"}),
        ({"init": "nfm", "basis": "centred", "source": "noise"}, {"init": "lecun_normal", "basis": "centred"}),
        ({"init": "nfm", "source": "a.pt", "source_model": "vgg11"}, {"init": "nfm", "source": "a.pt"}),
        ({"init": "kaiming_normal", "source_model": "vgg11_bn"}, {"init": "kaiming_normal"}),
        (
            {"init": "agop", "source": "noise", "source_model": "vgg11_bn", "round": 2},
            {"init": "agop", "source": "noise", "round": 2},
        ),
        ({"init": "nfm", "features": "nfm", "scale": "unit", "basis": "source"}, {"init": "nfm"}),
    ],
)
def test_specs_of_one_and_the_same_run_are_equal(given, same):
    assert parse(**given) == parse(**same)


@pytest.mark.parametrize(
    ("given", "label", "twin"),
    [
        ({"init": "kaiming_uniform"}, "kaiming_uniform", None),
        ({"init": "kaiming_nfm"}, "kaiming_nfm", "kaiming_normal"),
        ({"init": "nfm", "scale": "kaiming"}, "kaiming_nfm", "kaiming_normal"),
        ({"init": "agop", "agop_power": 0.5}, "agop power=0.5", "lecun_normal"),
        ({"init": "agop", "layers": "first:3"}, "agop layers=first:3", "lecun_normal layers=first:3"),
        ({"init": "kaiming_nfm", "scale": "poster"}, "kaiming_nfm scale=poster", None),
        (
            {"init": "kaiming_nfm", "scale": "lsuv", "basis": "centred"},
            "nfm scale=lsuv basis=centred",
            "kaiming_normal scale=lsuv basis=centred",
        ),
        (
            {"init": "agop", "agop_power": 0.5, "layers": "first:3", "scale": "lsuv"},
            "agop scale=lsuv power=0.5 layers=first:3",
            "kaiming_normal scale=lsuv layers=first:3",
        ),
        ({"init": "kaiming_agop", "basis": "rotated"}, "kaiming_agop basis=rotated", "kaiming_normal"),
        (
            {"init": "nfm", "scale": "lsuv", "basis": "centred_rotated"},
            "nfm scale=lsuv basis=centred_rotated",
            "kaiming_normal scale=lsuv basis=centred",
        ),
        ({"init": "lsuv"}, "lsuv", None),
        (
            {"init": "agop", "layers": "first:3", "round": 2},
            "agop layers=first:3 round=2",
            "lecun_normal layers=first:3",
        ),
        ({"init": "default", "layers": "all"}, "default", None),
        ({"init": "pretrained"}, "pretrained", None),
    ],
)
def test_labels_and_twins(given, label, twin):
    spec = parse(**given)
    assert (spec.label, spec.twin_label) == (label, twin)


def test_the_fed_size_is_the_data_set_s_unless_asked_for():
    sizes = [parse(dataset=name).fed_size for name in ("digits", "tiny_imagenet", "imagefolder:/x")]
    assert sizes == [32, 64, 64]
    assert parse(image_size=224).fed_size == 224


def test_every_data_set_is_large_enough_for_every_network():
    for dataset in catalogue.DATASETS:
        for model in catalogue.MODELS:
            assert parse(dataset=dataset, model=model).fed_size >= 32


def test_a_field_that_is_younger_than_the_first_stores_left_their_fingerprints_alone():
    assert parse(init="agop", seed=3).fingerprint == "ab01387cc9418b9d"
    stored = json.loads(parse(init="agop", seed=3).to_json())
    del stored["source_model"]
    assert parse(**stored) == parse(init="agop", seed=3, source_model="vgg11")


def test_files_that_are_not_there_are_named(tmp_path):
    (tmp_path / "w.pt").touch()
    parse(init="nfm", source=f"{tmp_path}/w.pt", dataset=f"imagefolder:{tmp_path}").check_files()
    for given, words in (
        ({"init": "nfm", "source": f"{tmp_path}/none.pt"}, "there is no such file"),
        ({"dataset": f"imagefolder:{tmp_path}/none"}, "there is no folder"),
        ({"init": "nfm", "source": f"dataset:imagefolder:{tmp_path}/none"}, "there is no folder"),
    ):
        with pytest.raises(RequestError, match=words):
            parse(**given).check_files()


def test_paths_are_relocated_and_names_are_not():
    def move(path):
        return Path("/new") / path.name

    spec = parse(init="nfm", source="old/w.safetensors", dataset="imagefolder:old/pictures").relocate(move)
    assert (spec.source, spec.dataset) == ("/new/w.safetensors", "imagefolder:/new/pictures")
    folder = parse(init="nfm", source="dataset:imagefolder:old/pictures").relocate(move)
    assert folder.source == "dataset:imagefolder:/new/pictures"
    names = parse(init="nfm", source="dataset:digits:0-4")
    assert names.relocate(move) == names
