"""What can be known of a data set's size before a run is queued: as published, or as counted in a folder."""

import numpy as np
import pytest
from helpers.dataset_files import save_picture

from agopconsole.backend.data import load_dataset, split
from agopconsole.catalogue import DATASETS
from agopconsole.errors import RequestError
from agopconsole.part_sizes import part_sizes
from agopconsole.queue.sizes import check_sizes
from agopconsole.spec import RunSpec

FITS = [
    {"limit": 1150},
    {"limit": 40000, "dataset": "cifar10"},
    {"limit": 20000, "dataset": "cifar10", "classes": "0-4"},
    {"val_fraction": 0.001},
    {"classes": "0,3", "limit": 231},
    {"classes": "0-4", "dataset": "svhn", "limit": 36279},
]
WRONG = [
    ({"limit": 1151}, "limit 1151: digits has 1,150 images to train on (287 of 1,437 are held out)"),
    ({"limit": 40001, "dataset": "cifar10"}, "cifar10 has 40,000 images to train on"),
    ({"limit": 20001, "dataset": "cifar10", "classes": "0-4"}, "cifar10 has 20,000 images to train on"),
    ({"val_fraction": 0.0003}, "val_fraction 0.0003 of 1,437 images of digits leaves none to validate on"),
    ({"val_fraction": 0.9999}, "leaves none to train on"),
    ({"classes": "0,3", "limit": 232}, "digits has 231 images to train on"),
    ({"classes": "0-4", "dataset": "svhn", "limit": 36280}, "svhn has 36,279 images to train on"),
    (
        {"init": "nfm", "source": "dataset:digits:0-1", "dataset": "cifar10", "val_fraction": 0.001},
        "of 289 images of digits leaves none to validate on",
    ),
]


def fields(spec):
    return ", ".join(f"{name}={value}" for name, value in spec.items())


@pytest.mark.parametrize("given", FITS, ids=fields)
def test_what_there_is_can_be_asked_for(tmp_path, given):
    check_sizes([RunSpec.parse(given)], tmp_path)


@pytest.mark.parametrize(("given", "words"), WRONG, ids=[fields(given) for given, _ in WRONG])
def test_more_than_there_is_is_refused(tmp_path, given, words):
    with pytest.raises(RequestError) as refused:
        check_sizes([RunSpec(), RunSpec.parse(given)], tmp_path)
    assert words in str(refused.value)


def test_the_published_numbers_of_each_class_add_up_and_are_those_of_the_digits(tmp_path):
    for facts in DATASETS.values():
        assert (sum(facts.class_sizes), len(facts.class_sizes)) == (facts.train, facts.classes)
    labels = load_dataset("digits", tmp_path, image_size=32).train.labels
    assert DATASETS["digits"].class_sizes == tuple(np.bincount(labels.numpy()))


@pytest.mark.parametrize("limit", [None, 1, 500, 1150])
def test_the_sizes_are_those_of_the_split(tmp_path, limit):
    digits = load_dataset("digits", tmp_path, image_size=32)
    parts = split(digits, seed=0, val_fraction=0.2, limit=limit)
    assert part_sizes("digits", 1437, val_fraction=0.2, limit=limit) == (len(parts.train), len(parts.val))


@pytest.fixture
def pictures(tmp_path):
    """A picture tree of three classes with 4, 5 and 6 training pictures, and what is none of them."""
    for number, of in enumerate(("ant", "bee", "cow")):
        for picture in range(4 + number):
            save_picture(tmp_path / "mine" / "train" / of / f"{picture}.png", (9, 9, 9))
        save_picture(tmp_path / "mine" / "test" / of / "0.png", (9, 9, 9))
    (tmp_path / "mine" / "train" / "ant" / "notes.txt").write_text("no picture")
    (tmp_path / "mine" / "train" / ".hidden").mkdir()
    return tmp_path / "mine"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"limit": 12}, None),
        ({"limit": 13}, "has 12 images to train on (3 of 15 are held out)"),
        ({"classes": "0,2", "limit": 8}, None),
        ({"classes": "0,2", "limit": 9}, "has 8 images to train on (2 of 10 are held out)"),
        ({"classes": "1-3"}, "there is no class 3: imagefolder:"),
        ({"val_fraction": 0.01}, "leaves none to validate on"),
    ],
)
def test_a_folder_is_counted_and_trained_on_as_counted(pictures, tmp_path, given, words):
    spec = RunSpec.parse({"dataset": f"imagefolder:{pictures}", **given})
    dataset = load_dataset(spec.dataset, tmp_path, image_size=32)

    def train():
        kept = dataset.subset(spec.class_indices) if spec.class_indices else dataset
        split(kept, seed=0, val_fraction=spec.val_fraction, limit=spec.limit)

    if words is None:
        check_sizes([spec], tmp_path)
        train()
        return
    with pytest.raises(RequestError) as before:
        check_sizes([spec], tmp_path)
    assert words in str(before.value)
    with pytest.raises(RequestError) as later:
        train()
    assert str(before.value) == str(later.value)


def test_a_picture_tree_in_the_place_of_a_published_set_counts_as_it_is(pictures, tmp_path):
    pictures.rename(tmp_path / "cifar10")
    check_sizes([RunSpec.parse({"dataset": "cifar10", "limit": 12})], tmp_path)
    with pytest.raises(RequestError, match="cifar10 has 12 images to train on"):
        check_sizes([RunSpec.parse({"dataset": "cifar10", "limit": 13})], tmp_path)
    check_sizes([RunSpec.parse({"dataset": "cifar10", "limit": 13})], None)


def test_a_folder_that_is_gone_is_for_others_to_name(tmp_path):
    check_sizes([RunSpec.parse({"dataset": f"imagefolder:{tmp_path / 'gone'}", "limit": 5})], tmp_path)
