"""From a name to a data set: what is here, what is fetched, and what is said when neither works."""

import hashlib
from dataclasses import replace

import pytest
from helpers.dataset_files import cifar_files, pass_for_published, save_picture, write_idx, write_tar
from helpers.file_server import serving

from agopconsole.backend.data import fetch, load_dataset, loading, status
from agopconsole.backend.data.published import PUBLISHED
from agopconsole.catalogue import DATASETS
from agopconsole.errors import RequestError, WorkError

ARCHIVE = "cifar-10-python.tar.gz"


@pytest.fixture
def archive(tmp_path, monkeypatch) -> bytes:
    """A tiny CIFAR-10 archive that is taken for the published one; the published address refuses."""
    write_tar(tmp_path / "made" / ARCHIVE, {f"cifar-10-batches-py/{k}": v for k, v in cifar_files("cifar10").items()})
    content = (tmp_path / "made" / ARCHIVE).read_bytes()
    with serving(b"") as gone:
        address = f"{gone.url}/{ARCHIVE}"
    (file,) = PUBLISHED["cifar10"].files
    published = replace(file, md5=hashlib.md5(content).hexdigest(), urls=(address,))
    monkeypatch.setitem(loading.PUBLISHED, "cifar10", replace(PUBLISHED["cifar10"], files=(published,)))
    return content


def test_what_is_missing_is_fetched_and_then_is_here(tmp_path, archive):
    lines: list[str] = []
    with serving(archive) as server:
        dataset = load_dataset("cifar10", tmp_path / "data", image_size=32, mirror=server.url, report=lines.append)
        again = load_dataset("cifar10", tmp_path / "data", image_size=32, mirror=server.url)
    assert len(dataset.train) == len(again.train) == 10
    assert len(server.asked) == 1
    assert lines == [
        f"{ARCHIVE}: here, and its checksum is right",
        "cifar10 is not the whole published set: 10 of 50,000 training pictures, 2 of 10,000 test pictures",
    ]


def test_offline_one_line_says_what_is_missing_where_and_what_helps(tmp_path, archive):
    with pytest.raises(WorkError) as caught:
        load_dataset("cifar10", tmp_path / "data", image_size=32)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(
        f"cifar10 is not in {tmp_path / 'data'} (looked for {ARCHIVE}, cifar-10-batches-py/ or a picture tree "
        "cifar10/{train,test}/CLASS/) and could not be fetched: 127.0.0.1:"
    )
    assert message.endswith(
        "cannot be reached (Connection refused); put one of these there, or name a mirror: "
        "agopconsole datasets fetch cifar10 --mirror ADDRESS-OR-FOLDER; digits needs no download"
    )


def test_fetching_brings_every_file_from_a_folder_that_the_user_names(tmp_path, monkeypatch):
    write_idx(tmp_path / "stick")
    pass_for_published(monkeypatch, "mnist", tmp_path / "stick")
    raw = tmp_path / "data" / "MNIST" / "raw"
    assert fetch("mnist", tmp_path / "data", mirror=str(tmp_path / "stick")) == str(raw)
    assert load_dataset("mnist", tmp_path / "data", image_size=32).train.labels.tolist() == [3, 4, 5, 6]
    assert fetch("mnist", tmp_path / "data", mirror="/nowhere") == str(raw)


def test_fetching_digits_needs_nothing_and_an_unknown_name_is_a_wrong_request(tmp_path):
    assert fetch("digits", tmp_path / "data") == "scikit-learn"
    for call in (fetch, lambda name, data: load_dataset(name, data, image_size=32)):
        with pytest.raises(
            RequestError, match=r"unknown data set 'imagenet'; .*choose from svhn, cifar10, .*imagefolder:PATH"
        ):
            call("imagenet", tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_broken_archive_that_lies_there_is_no_data(tmp_path):
    (tmp_path / ARCHIVE).write_bytes(b"<html>not found</html>")
    with pytest.raises(WorkError, match=r"cifar-10-python\.tar\.gz is broken \(.*\); delete it"):
        load_dataset("cifar10", tmp_path, image_size=32)


def test_the_archive_goes_before_the_tree(tmp_path):
    write_tar(tmp_path / ARCHIVE, {f"cifar-10-batches-py/{k}": v for k, v in cifar_files("cifar10").items()})
    save_picture(tmp_path / "cifar10" / "train" / "a" / "0.png", 1)
    assert load_dataset("cifar10", tmp_path, image_size=32).origin.startswith("archive cifar-10-python.tar.gz")


def test_a_whole_set_says_nothing_of_its_numbers(tmp_path, monkeypatch):
    write_idx(tmp_path / "mnist")
    monkeypatch.setitem(loading.DATASETS, "mnist", replace(DATASETS["mnist"], train=4, test=2))
    lines: list[str] = []
    dataset = load_dataset("mnist", tmp_path, image_size=32, report=lines.append)
    assert dataset.origin == "idx files in mnist, not the published content"
    assert lines == []


def test_the_status_says_what_is_here_and_what_can_be_had(tmp_path):
    save_picture(tmp_path / "svhn" / "train" / "a" / "0.png", 1)
    write_tar(tmp_path / ARCHIVE, {})
    write_idx(tmp_path / "FashionMNIST" / "raw")
    (tmp_path / "tiny-imagenet-200" / "train").mkdir(parents=True)
    (tmp_path / "tiny-imagenet-200" / "wnids.txt").write_bytes(b"")
    rows = {row.name: (row.state, row.form, row.location) for row in status(tmp_path)}
    assert rows == {
        "svhn": ("here", "tree", str(tmp_path / "svhn")),
        "cifar10": ("here", "archive", str(tmp_path / ARCHIVE)),
        "cifar100": ("can be fetched", "", str(tmp_path / "cifar-100-python.tar.gz")),
        "tiny_imagenet": ("here", "folder", str(tmp_path / "tiny-imagenet-200")),
        "mnist": ("can be fetched", "", str(tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte.gz")),
        "fashion_mnist": ("here", "idx", str(tmp_path / "FashionMNIST" / "raw")),
        "digits": ("built in", "", "scikit-learn"),
    }
    (tiny,) = (row for row in status(tmp_path) if row.name == "tiny_imagenet")
    assert (tiny.classes, tiny.train, tiny.test) == (200, 100_000, 10_000)
    assert tiny.title == DATASETS["tiny_imagenet"].title


def test_a_file_that_may_not_be_read_is_one_line(tmp_path, monkeypatch):
    def refuse(data_dir):
        raise PermissionError(13, "Permission denied", str(data_dir))

    monkeypatch.setattr(loading, "find_svhn", refuse)
    for call in (status, lambda data: fetch("svhn", data), lambda data: load_dataset("svhn", data, image_size=32)):
        with pytest.raises(WorkError, match=r"svhn cannot be read: .*Permission denied"):
            call(tmp_path)
