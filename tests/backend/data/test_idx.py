"""MNIST and Fashion-MNIST from idx files, wherever they lie."""

import gzip
import hashlib
from dataclasses import replace

import numpy as np
import pytest
from helpers.dataset_files import idx_bytes, pass_for_published, write_idx

from agopconsole.backend.data import idx, load_dataset
from agopconsole.backend.data.idx import find_idx
from agopconsole.backend.data.published import PUBLISHED
from agopconsole.errors import WorkError

CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


@pytest.mark.parametrize(
    ("name", "folder", "zipped"),
    [
        ("fashion_mnist", "FashionMNIST/raw", True),
        ("fashion_mnist", "fashion_mnist", True),
        ("fashion_mnist", "fashion-mnist", False),
        ("mnist", "MNIST/raw", False),
        ("mnist", "mnist", True),
    ],
)
def test_pixels_and_labels_are_as_written(tmp_path, name, folder, zipped):
    write_idx(tmp_path / folder, zipped=zipped)
    dataset = load_dataset(name, tmp_path, image_size=32)
    assert dataset.train.pixels.shape == (4, 1, 5, 3)
    assert dataset.train.pixels.flatten().tolist() == list(range(60))
    assert dataset.train.labels.tolist() == [3, 4, 5, 6]
    assert dataset.test.pixels.flatten().tolist() == list(range(30))
    assert dataset.test.labels.tolist() == [7, 8]
    assert dataset.classes == (CLASSES if name == "fashion_mnist" else tuple("0123456789"))
    assert dataset.origin == (
        f"idx files in {folder}, not the published content, 4 of 60,000 training pictures, 2 of 10,000 test pictures"
    )


def test_the_data_folder_itself_counts_if_its_name_says_which_set_it_is(tmp_path):
    write_idx(tmp_path / "fashion-mnist")
    assert find_idx("fashion_mnist", tmp_path / "fashion-mnist").location == tmp_path / "fashion-mnist"
    assert find_idx("mnist", tmp_path / "fashion-mnist") is None


def test_the_data_folder_itself_counts_if_its_labels_are_the_published_ones(tmp_path, monkeypatch):
    write_idx(tmp_path)
    assert find_idx("mnist", tmp_path) is None
    labels = (tmp_path / "train-labels-idx1-ubyte.gz").read_bytes()
    known = PUBLISHED["mnist"]
    files = (known.files[0], replace(known.files[1], md5=hashlib.md5(labels).hexdigest()), *known.files[2:])
    monkeypatch.setitem(idx.PUBLISHED, "mnist", replace(known, files=files))
    assert find_idx("mnist", tmp_path).location == tmp_path
    assert find_idx("fashion_mnist", tmp_path) is None


def test_a_folder_that_lacks_a_file_is_not_taken(tmp_path):
    write_idx(tmp_path / "mnist")
    (tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    assert find_idx("mnist", tmp_path) is None


def test_the_published_files_are_told_from_others(tmp_path, monkeypatch):
    write_idx(tmp_path / "mnist")
    pass_for_published(monkeypatch, "mnist", tmp_path / "mnist")
    assert load_dataset("mnist", tmp_path, image_size=32).origin.startswith("published idx files in mnist, ")


def broken(tmp_path, name: str, content: bytes) -> str:
    write_idx(tmp_path / "mnist")
    (tmp_path / "mnist" / name).write_bytes(content)
    with pytest.raises(WorkError) as caught:
        load_dataset("mnist", tmp_path, image_size=32)
    return str(caught.value)


def test_a_truncated_file_is_named(tmp_path):
    write_idx(tmp_path / "mnist")
    whole = (tmp_path / "mnist" / "t10k-images-idx3-ubyte.gz").read_bytes()
    assert "t10k-images-idx3-ubyte.gz is broken" in broken(tmp_path, "t10k-images-idx3-ubyte.gz", whole[:-9])


def test_a_file_with_too_few_pixels_is_named(tmp_path):
    content = gzip.compress(idx_bytes(np.zeros((4, 5, 3), np.uint8))[:-1])
    assert "train-images-idx3-ubyte.gz is broken" in broken(tmp_path, "train-images-idx3-ubyte.gz", content)


def test_labels_in_place_of_images_are_refused(tmp_path):
    content = gzip.compress(idx_bytes(np.zeros(600, np.uint8)))
    message = broken(tmp_path, "train-images-idx3-ubyte.gz", content)
    assert "train-images-idx3-ubyte.gz is no idx file of the kind 0x0803: it starts with 0x00000801" in message


def test_pictures_and_labels_must_be_as_many(tmp_path):
    content = gzip.compress(idx_bytes(np.zeros(3, np.uint8)))
    message = broken(tmp_path, "train-labels-idx1-ubyte.gz", content)
    assert "holds 4 pictures, but" in message
    assert message.endswith("train-labels-idx1-ubyte.gz 3 labels")
