"""CIFAR from its archive of pickled batches, or the folder that it unpacks to."""

import hashlib
import pickle

import pytest
from helpers.dataset_files import cifar_files, colour, write_folder, write_tar
from torchvision.datasets import CIFAR10

from agopconsole.backend.data import load_dataset
from agopconsole.errors import WorkError

ARCHIVE, FOLDER = "cifar-10-python.tar.gz", "cifar-10-batches-py"


def in_folder(files: dict[str, bytes], folder: str = FOLDER) -> dict[str, bytes]:
    return {f"{folder}/{name}": content for name, content in files.items()}


@pytest.mark.parametrize("form", ["archive", "archive below", "folder"])
def test_cifar10_is_read_batch_by_batch(tmp_path, form):
    files = in_folder(cifar_files("cifar10"))
    if form == "folder":
        write_folder(tmp_path, files)
    else:
        write_tar(tmp_path / ("cifar10" if form == "archive below" else "") / ARCHIVE, files)
    dataset = load_dataset("cifar10", tmp_path, image_size=32)
    assert dataset.classes == tuple(f"kind{i}" for i in range(10))
    assert dataset.train.pixels.shape == (10, 3, 32, 32)
    assert [tuple(p[:, 0, 31].tolist()) for p in dataset.train.pixels] == [colour(i) for i in range(10)]
    assert dataset.train.labels.tolist() == list(range(10))
    assert [tuple(p[:, 31, 0].tolist()) for p in dataset.test.pixels] == [colour(10), colour(11)]
    assert dataset.test.labels.tolist() == [0, 1]
    place = f"folder {FOLDER}" if form == "folder" else f"archive {ARCHIVE}"
    assert dataset.origin == (
        f"{place}, not the published content, 10 of 50,000 training pictures, 2 of 10,000 test pictures"
    )


def test_cifar100_has_its_fine_classes(tmp_path):
    write_tar(tmp_path / "cifar-100-python.tar.gz", in_folder(cifar_files("cifar100"), "cifar-100-python"))
    dataset = load_dataset("cifar100", tmp_path, image_size=32)
    assert dataset.classes == tuple(f"kind{i}" for i in range(100))
    assert dataset.train.labels.tolist() == [0, 1]
    assert [tuple(p[:, 5, 5].tolist()) for p in dataset.test.pixels] == [colour(2), colour(3)]


def test_rows_are_rows_and_columns_columns(tmp_path):
    files = cifar_files("cifar10")
    batch = pickle.loads(files["test_batch"])
    batch["data"][0, 1024 + 2 * 32 + 7] = 255  # green, row 2, column 7
    write_folder(tmp_path, in_folder({**files, "test_batch": pickle.dumps(batch, protocol=2)}))
    pixels = load_dataset("cifar10", tmp_path, image_size=32).test.pixels
    assert (pixels == 255).nonzero().tolist() == [[0, 1, 2, 7]]


def test_batches_with_the_published_checksums_are_the_published_ones(tmp_path, monkeypatch):
    files = cifar_files("cifar10")
    sums = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
    monkeypatch.setattr(CIFAR10, "train_list", [[name, sums[name]] for name, _ in CIFAR10.train_list])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", sums["test_batch"]]])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": sums["batches.meta"]})
    write_tar(tmp_path / ARCHIVE, in_folder(files))
    assert load_dataset("cifar10", tmp_path, image_size=32).origin.startswith(f"published archive {ARCHIVE}, 10 of")


class Evil:
    def __reduce__(self):
        return (print, ("gotcha",))


@pytest.mark.parametrize("payload", [Evil(), {"data": Evil(), "labels": [0]}])
def test_a_pickle_that_asks_for_code_is_refused(tmp_path, capsys, payload):
    write_tar(tmp_path / ARCHIVE, in_folder({**cifar_files("cifar10"), "data_batch_3": pickle.dumps(payload)}))
    with pytest.raises(WorkError, match=r"no CIFAR batch: it asks for builtins\.print"):
        load_dataset("cifar10", tmp_path, image_size=32)
    assert "gotcha" not in capsys.readouterr().out


@pytest.mark.parametrize("payload", [b"", b"no pickle", pickle.dumps([1, 2]), pickle.dumps({"labels": [1]})])
def test_a_batch_of_another_kind_is_an_error(tmp_path, payload):
    write_tar(tmp_path / ARCHIVE, in_folder({**cifar_files("cifar10"), "data_batch_3": payload}))
    with pytest.raises(WorkError, match=r"cifar-10-python\.tar\.gz holds (a pickle that is )?no CIFAR batch"):
        load_dataset("cifar10", tmp_path, image_size=32)


def test_an_archive_without_names_of_classes_is_an_error(tmp_path):
    write_tar(tmp_path / ARCHIVE, in_folder({**cifar_files("cifar10"), "batches.meta": pickle.dumps({})}))
    with pytest.raises(WorkError, match=r"cifar-10-python\.tar\.gz holds no names of classes"):
        load_dataset("cifar10", tmp_path, image_size=32)


@pytest.mark.parametrize("kept", [0.5, 0.99])
def test_a_truncated_archive_is_named(tmp_path, kept):
    write_tar(tmp_path / ARCHIVE, in_folder(cifar_files("cifar10")))
    whole = (tmp_path / ARCHIVE).read_bytes()
    (tmp_path / ARCHIVE).write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(WorkError, match=r"cifar-10-python\.tar\.gz is broken"):
        load_dataset("cifar10", tmp_path, image_size=32)


def test_an_archive_whose_checksum_at_its_very_end_is_wrong_is_broken(tmp_path):
    write_tar(tmp_path / ARCHIVE, in_folder(cifar_files("cifar10")))
    whole = (tmp_path / ARCHIVE).read_bytes()
    (tmp_path / ARCHIVE).write_bytes(whole[:-8] + b"\0\0\0\0" + whole[-4:])
    with pytest.raises(WorkError, match=r"cifar-10-python\.tar\.gz is broken \(CRC check failed"):
        load_dataset("cifar10", tmp_path, image_size=32)


def test_an_archive_that_lacks_a_batch_is_an_error(tmp_path):
    files = cifar_files("cifar10")
    del files["data_batch_4"]
    write_tar(tmp_path / ARCHIVE, in_folder(files))
    with pytest.raises(WorkError, match=r"cifar-10-python\.tar\.gz lacks the file cifar-10-batches-py/data_batch_4"):
        load_dataset("cifar10", tmp_path, image_size=32)


def test_an_archive_writes_nothing_whatever_its_paths_say(tmp_path):
    home = tmp_path / "a" / "data"
    evil = {"../evil": b"1", f"{FOLDER}/../../evil": b"2", str(tmp_path / "evil"): b"3"}
    write_tar(home / ARCHIVE, {**evil, **in_folder(cifar_files("cifar10"))})
    before = sorted(tmp_path.rglob("*"))
    assert len(load_dataset("cifar10", home, image_size=32).train) == 10
    assert sorted(tmp_path.rglob("*")) == before
