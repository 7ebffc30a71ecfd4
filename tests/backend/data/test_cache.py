"""The decoded copy of a folder of pictures, which saves decoding them twice."""

import os

import pytest
import torch
from helpers.dataset_files import save_picture

from agopconsole.backend.data import cache
from agopconsole.backend.data.cache import load_pictures
from agopconsole.backend.data.container import DiskFolder
from agopconsole.backend.data.decode import Decoded, Target
from agopconsole.errors import WorkError


def load(folder, target=Target(8, 3), keep=None) -> tuple[Decoded, list[str]]:  # noqa: B008
    lines: list[str] = []
    container = DiskFolder(folder)
    return load_pictures(container, container.pictures(""), target, keep or folder / ".decoded", lines.append), lines


def test_the_second_time_nothing_is_decoded(tmp_path, monkeypatch):
    save_picture(tmp_path / "a.png", (1, 2, 3), (9, 8))
    first, _ = load(tmp_path)
    monkeypatch.setattr(cache, "decode", None)
    second, lines = load(tmp_path)
    assert torch.equal(first.pixels, second.pixels)
    assert second.resized == 1
    assert lines == []
    (kept,) = (tmp_path / ".decoded").iterdir()
    assert kept.name.startswith(f"{tmp_path.name}-8px-")
    assert kept.stat().st_mode & 0o777 == 0o644


def test_the_copy_follows_the_tree_when_it_is_moved(tmp_path, monkeypatch):
    save_picture(tmp_path / "old" / "set" / "a.png", 5)
    load(tmp_path / "old" / "set", keep=tmp_path / "cache")
    (tmp_path / "old").rename(tmp_path / "new")
    monkeypatch.setattr(cache, "decode", None)
    assert load(tmp_path / "new" / "set", keep=tmp_path / "cache")[0].pixels[0, 0, 0, 0] == 5


def change_content(folder):
    save_picture(folder / "a.png", 99)
    os.utime(folder / "a.png", ns=(2, 2))


def test_a_changed_file_is_decoded_again(tmp_path):
    save_picture(tmp_path / "a.png", 5)
    os.utime(tmp_path / "a.png", ns=(1, 1))
    load(tmp_path)
    change_content(tmp_path)
    assert load(tmp_path)[0].pixels[0, 0, 0, 0] == 99


def test_a_new_a_renamed_and_a_removed_file_are_seen(tmp_path):
    save_picture(tmp_path / "a.png", 5)
    load(tmp_path)
    save_picture(tmp_path / "b.png", 6)
    assert load(tmp_path)[0].pixels[:, 0, 0, 0].tolist() == [5, 6]
    (tmp_path / "a.png").rename(tmp_path / "c.png")
    assert load(tmp_path)[0].pixels[:, 0, 0, 0].tolist() == [6, 5]
    (tmp_path / "b.png").unlink()
    assert load(tmp_path)[0].pixels[:, 0, 0, 0].tolist() == [5]


def test_each_size_and_number_of_channels_has_a_copy_of_its_own(tmp_path):
    save_picture(tmp_path / "a.png", 5)
    shapes = [
        tuple(load(tmp_path, target)[0].pixels.shape[1:]) for target in (Target(8, 3), Target(4, 3), Target(8, 1))
    ]
    assert shapes == [(3, 8, 8), (3, 4, 4), (1, 8, 8)]


def test_a_broken_copy_is_made_anew(tmp_path):
    save_picture(tmp_path / "a.png", 5)
    load(tmp_path)
    (kept,) = (tmp_path / ".decoded").iterdir()
    kept.write_bytes(kept.read_bytes()[:-7])
    decoded, lines = load(tmp_path)
    assert decoded.pixels[0, 0, 0, 0] == 5
    assert lines[0].startswith(f"the decoded copy {kept.name} is not readable")
    assert load(tmp_path)[1] == []


def test_where_no_copy_can_be_kept_the_pictures_are_there_all_the_same(tmp_path):
    save_picture(tmp_path / "a.png", 5)
    (tmp_path / "file").write_bytes(b"")
    decoded, lines = load(tmp_path, keep=tmp_path / "file" / "cache")
    assert decoded.pixels[0, 0, 0, 0] == 5
    assert len(lines) == 1
    assert lines[0].startswith("the decoded pictures are not kept for the next time")


def test_of_broken_pictures_nothing_is_kept(tmp_path):
    save_picture(tmp_path / "a.png", 5)
    (tmp_path / "b.png").write_bytes(b"broken")
    with pytest.raises(WorkError, match=r"b\.png is no whole picture"):
        load(tmp_path)
    assert not (tmp_path / ".decoded").exists()
