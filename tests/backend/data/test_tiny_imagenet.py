"""Tiny ImageNet in its own layout: classes by wnids.txt, validation pictures by their annotations."""

import hashlib
from dataclasses import replace

import pytest
from helpers.dataset_files import jpeg, tiny_imagenet_files, write_folder, write_zip

from agopconsole.backend.data import load_dataset, tiny_imagenet
from agopconsole.errors import WorkError

FOLDER = "tiny-imagenet-200"


def write(tmp_path, form: str, files: dict[str, bytes]) -> None:
    if form == "zip":
        members = {f"{FOLDER}/{name}": content for name, content in files.items()}
        write_zip(tmp_path / f"{FOLDER}.zip", members)
    else:
        write_folder(tmp_path / form, files)


@pytest.mark.parametrize("form", [FOLDER, "tiny_imagenet", f"tiny_imagenet/{FOLDER}", "zip"])
def test_it_is_read_in_its_own_layout(tmp_path, form):
    write(tmp_path, form, tiny_imagenet_files())
    dataset = load_dataset("tiny_imagenet", tmp_path, image_size=32)
    assert dataset.classes == ("n01", "n02", "n03")
    assert dataset.train.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert dataset.train.pixels.shape == (6, 3, 64, 64)
    # The first picture is a greyscale JPEG.
    assert dataset.train.pixels[:, :, 9, 9].tolist() == [[v] * 3 for v in (50, 51, 100, 101, 150, 151)]
    assert dataset.test.pixels[:, 0, 9, 9].tolist() == [105, 155, 55]
    assert dataset.test.labels.tolist() == [1, 2, 0]
    place = f"archive {FOLDER}.zip, not the published content" if form == "zip" else f"folder {form.split('/')[-1]}"
    assert dataset.origin == (f"{place}, 3 of 200 classes, 6 of 100,000 training pictures, 3 of 10,000 test pictures")


def test_validation_pictures_in_class_folders_still_go_by_their_annotations(tmp_path):
    files = tiny_imagenet_files()
    files["val/n03/images/val_2.JPEG"] = files.pop("val/images/val_2.JPEG")
    write(tmp_path, FOLDER, files)
    dataset = load_dataset("tiny_imagenet", tmp_path, image_size=64)
    assert dataset.test.pixels[:, 0, 9, 9].tolist() == [105, 155, 55]
    assert dataset.test.labels.tolist() == [1, 2, 0]


def test_half_of_the_training_pictures_is_no_mistake(tmp_path):
    files = tiny_imagenet_files()
    for wnid in ("n01", "n02", "n03"):
        del files[f"train/{wnid}/images/{wnid}_1.JPEG"]
    write(tmp_path, FOLDER, files)
    assert load_dataset("tiny_imagenet", tmp_path, image_size=64).train.labels.tolist() == [0, 1, 2]


@pytest.mark.parametrize("form", [FOLDER, "zip"])
def test_hidden_files_are_no_pictures(tmp_path, form):
    files = tiny_imagenet_files()
    files |= {"train/n01/images/._n01_0.JPEG": b"", "val/.DS_Store": b"", "train/.ipynb_checkpoints/x.JPEG": b""}
    write(tmp_path, form, files)
    assert len(load_dataset("tiny_imagenet", tmp_path, image_size=64).train) == 6


@pytest.mark.parametrize("form", [FOLDER, "zip"])
def test_a_truncated_jpeg_is_named(tmp_path, form):
    write(tmp_path, form, {**tiny_imagenet_files(), "train/n02/images/n02_1.JPEG": jpeg((1, 2, 3))[:-200]})
    with pytest.raises(WorkError, match=rf"{FOLDER}/train/n02/images/n02_1\.JPEG is no whole picture"):
        load_dataset("tiny_imagenet", tmp_path, image_size=64)


def test_a_picture_without_annotation_is_named(tmp_path):
    write(tmp_path, FOLDER, {**tiny_imagenet_files(), "val/images/val_9.JPEG": jpeg(9)})
    with pytest.raises(WorkError, match=r"val/images/val_9\.JPEG belongs to no class of wnids\.txt"):
        load_dataset("tiny_imagenet", tmp_path, image_size=64)


def test_a_class_without_pictures_is_named(tmp_path):
    files = tiny_imagenet_files()
    files["wnids.txt"] += b"\nn00\n"
    write(tmp_path, FOLDER, files)
    with pytest.raises(WorkError, match="train holds no picture of the class n00"):
        load_dataset("tiny_imagenet", tmp_path, image_size=64)


@pytest.mark.parametrize("missing", ["wnids.txt", "val/val_annotations.txt"])
def test_a_missing_list_is_named(tmp_path, missing):
    files = tiny_imagenet_files()
    del files[missing]
    write(tmp_path, FOLDER, files)
    with pytest.raises(WorkError, match=f"{FOLDER}/{missing} cannot be read: No such file"):
        load_dataset("tiny_imagenet", tmp_path, image_size=64)


def test_the_published_archive_is_told_from_others(tmp_path, monkeypatch):
    write(tmp_path, "zip", tiny_imagenet_files())
    md5 = hashlib.md5((tmp_path / f"{FOLDER}.zip").read_bytes()).hexdigest()
    monkeypatch.setattr(tiny_imagenet, "TINY_IMAGENET", replace(tiny_imagenet.TINY_IMAGENET, md5=md5))
    origin = load_dataset("tiny_imagenet", tmp_path, image_size=64).origin
    assert origin.startswith(f"published archive {FOLDER}.zip, 3 of 200 classes, ")


def test_a_truncated_archive_is_named(tmp_path):
    write(tmp_path, "zip", tiny_imagenet_files())
    path = tmp_path / f"{FOLDER}.zip"
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(WorkError, match=rf"{FOLDER}\.zip is broken"):
        load_dataset("tiny_imagenet", tmp_path, image_size=64)
