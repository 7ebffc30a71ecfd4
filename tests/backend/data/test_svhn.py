"""SVHN from its MATLAB files."""

import hashlib
import sys
from dataclasses import replace

import pytest
from helpers.dataset_files import colour, write_svhn

from agopconsole.backend.data import load_dataset, svhn
from agopconsole.backend.data.published import PUBLISHED
from agopconsole.errors import WorkError


@pytest.mark.parametrize("below", ["", "svhn"])
def test_pictures_are_in_order_and_label_10_is_the_digit_0(tmp_path, below):
    write_svhn(tmp_path / below)
    dataset = load_dataset("svhn", tmp_path, image_size=32)
    assert dataset.classes == tuple("0123456789")
    assert dataset.train.labels.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2]
    assert dataset.train.pixels.shape == (12, 3, 32, 32)
    assert [tuple(p[:, 3, 9].tolist()) for p in dataset.train.pixels] == [colour(i) for i in range(12)]
    assert [tuple(p[:, 3, 9].tolist()) for p in dataset.test.pixels] == [colour(20 + i) for i in range(3)]
    assert dataset.test.labels.tolist() == [1, 2, 3]
    assert (dataset.test.pixels[0, 0] == 255).nonzero().tolist() == [[2, 7]]
    assert dataset.origin == (
        "archives train_32x32.mat and test_32x32.mat, not the published content, "
        "12 of 73,257 training pictures, 3 of 26,032 test pictures"
    )


def test_the_published_files_are_told_from_others(tmp_path, monkeypatch):
    write_svhn(tmp_path)
    known = PUBLISHED["svhn"]
    files = tuple(replace(f, md5=hashlib.md5((tmp_path / f.name).read_bytes()).hexdigest()) for f in known.files)
    monkeypatch.setitem(svhn.PUBLISHED, "svhn", replace(known, files=files))
    origin = load_dataset("svhn", tmp_path, image_size=32).origin
    assert origin.startswith("published archives train_32x32.mat and test_32x32.mat, ")


@pytest.mark.parametrize("content", [b"", b"no MATLAB file" * 50, None])
def test_a_broken_file_is_named(tmp_path, content):
    write_svhn(tmp_path)
    path = tmp_path / "test_32x32.mat"
    path.write_bytes(path.read_bytes()[:-40] if content is None else content)
    with pytest.raises(WorkError, match=r"test_32x32\.mat is broken"):
        load_dataset("svhn", tmp_path, image_size=32)


def test_a_missing_scipy_is_said(tmp_path, monkeypatch):
    write_svhn(tmp_path)
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(WorkError, match="svhn is read with scipy, which is missing: pip install scipy"):
        load_dataset("svhn", tmp_path, image_size=32)
