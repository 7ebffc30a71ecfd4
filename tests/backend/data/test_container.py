"""Pictures in folders and in zip archives: the same listing, hidden files left out, nothing written."""

import os

import pytest
from helpers.dataset_files import write_folder, write_zip

from agopconsole.backend.data.container import DiskFolder, ZipFolder
from agopconsole.errors import WorkError

FILES = {
    "train/b/2.JPG": b"two",
    "train/b/1.png": b"one",
    "train/a/deep/3.jpeg": b"three",
    "train/a/.DS_Store": b"",
    "train/a/._4.jpg": b"",
    "train/.ipynb_checkpoints/5.jpg": b"",
    "train/__MACOSX/6.jpg": b"",
    "train/readme.txt": b"",
    "test/7.jpg": b"",
}


@pytest.fixture(params=["disk", "zip"])
def container(request, tmp_path):
    if request.param == "disk":
        write_folder(tmp_path / "set", FILES)
        return DiskFolder(tmp_path / "set")
    write_zip(tmp_path / "set.zip", {f"set/{name}": content for name, content in FILES.items()})
    return ZipFolder(tmp_path / "set.zip", "set")


def test_pictures_are_listed_sorted_without_what_is_hidden_or_no_picture(container):
    names = [file.name for file in container.pictures("train")]
    assert names == ["train/a/deep/3.jpeg", "train/b/1.png", "train/b/2.JPG"]


def test_files_are_read_by_the_names_of_the_listing(container):
    assert [container.read(file.name) for file in container.pictures("train")] == [b"three", b"one", b"two"]


def test_a_file_that_is_not_there_is_named(container):
    with pytest.raises(WorkError, match=r"set/val/words\.txt"):
        container.read("val/words.txt")


def test_the_stamp_changes_with_the_file(tmp_path):
    write_folder(tmp_path, FILES)
    before = {file.name: file.stamp for file in DiskFolder(tmp_path).pictures("train")}
    (tmp_path / "train/b/1.png").write_bytes(b"more")
    os.utime(tmp_path / "train/b/2.JPG", ns=(1, 1))
    after = {file.name: file.stamp for file in DiskFolder(tmp_path).pictures("train")}
    assert {name for name in before if before[name] != after[name]} == {"train/b/1.png", "train/b/2.JPG"}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["10", "9", "1"], ["1", "9", "10"]),
        (["10", "9", "cat"], ["10", "9", "cat"]),
        (["dog", "cat", ".git", ".ipynb_checkpoints"], ["cat", "dog"]),
    ],
)
def test_class_folders_are_sorted_and_numbers_as_numbers(tmp_path, names, expected):
    write_folder(tmp_path, {f"{name}/x.jpg": b"" for name in names} | {"loose.jpg": b""})
    assert DiskFolder(tmp_path).folders("") == expected


def test_a_truncated_zip_is_named(tmp_path):
    write_zip(tmp_path / "set.zip", {f"set/{name}": content for name, content in FILES.items()})
    whole = (tmp_path / "set.zip").read_bytes()
    (tmp_path / "set.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WorkError, match=r"set\.zip is broken"):
        ZipFolder(tmp_path / "set.zip", "set")


def test_a_member_with_a_wrong_checksum_is_an_error(tmp_path):
    write_zip(tmp_path / "set.zip", {"set/a.jpg": b"abc"})
    whole = bytearray((tmp_path / "set.zip").read_bytes())
    crc = whole.rindex(b"PK\x01\x02") + 16  # in the archive's own directory
    whole[crc] ^= 1
    (tmp_path / "set.zip").write_bytes(whole)
    with pytest.raises(WorkError, match=r"set\.zip is broken \(Bad CRC-32"):
        ZipFolder(tmp_path / "set.zip", "set").read("a.jpg")


def test_a_zip_writes_nothing_whatever_its_paths_say(tmp_path):
    home = tmp_path / "a" / "data"
    evil = {"../evil.jpg": b"1", "set/../../evil.jpg": b"2", "/evil.jpg": b"3"}
    write_zip(home / "set.zip", {**evil, "set/train/a.jpg": b"good"})
    before = sorted(tmp_path.rglob("*"))
    folder = ZipFolder(home / "set.zip", "set")
    assert [file.name for file in folder.pictures("train")] == ["train/a.jpg"]
    assert folder.read("train/a.jpg") == b"good"
    assert sorted(tmp_path.rglob("*")) == before
