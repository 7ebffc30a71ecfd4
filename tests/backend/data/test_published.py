"""The published files: torchvision's addresses and checksums, and telling a whole file from another."""

import gzip
import hashlib

import pytest

from agopconsole.backend.data.published import PUBLISHED, RemoteFile
from agopconsole.catalogue import DATASETS


def test_every_data_set_of_the_catalogue_is_published_or_built_in():
    assert set(PUBLISHED) == set(DATASETS) - {"digits"}


@pytest.mark.parametrize(
    ("name", "file", "url", "md5"),
    [
        (
            "cifar10",
            "cifar-10-python.tar.gz",
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            "c58f30108f718f92721af3b95e74349a",
        ),
        (
            "svhn",
            "test_32x32.mat",
            "http://ufldl.stanford.edu/housenumbers/test_32x32.mat",
            "eb5a983be6a315427106f1b164d9cef3",
        ),
        (
            "tiny_imagenet",
            "tiny-imagenet-200.zip",
            "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
            "90528d7ca1a48142e341f4ef8d21d0de",
        ),
        (
            "mnist",
            "t10k-labels-idx1-ubyte.gz",
            "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz",
            "ec29112dd5afa0611ce80d1b7f02629c",
        ),
        (
            "fashion_mnist",
            "train-images-idx3-ubyte.gz",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz",
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        ),
    ],
)
def test_files_come_from_where_they_are_published(name, file, url, md5):
    (found,) = (f for f in PUBLISHED[name].files if f.name == file)
    assert found.urls[0] == url
    assert found.md5 == md5


def test_a_set_is_all_of_its_files():
    assert [file.name for file in PUBLISHED["svhn"].files] == ["train_32x32.mat", "test_32x32.mat"]
    assert len(PUBLISHED["mnist"].files) == len(PUBLISHED["fashion_mnist"].files) == 4


def test_a_file_is_known_by_its_checksum_or_by_what_is_inside_it(tmp_path):
    content = b"pixels" * 100
    original = gzip.compress(content, mtime=1)
    file = RemoteFile("x.gz", hashlib.md5(original).hexdigest(), (), hashlib.md5(content).hexdigest())
    strict = RemoteFile("x.gz", file.md5, ())
    path = tmp_path / "x"
    for written, known, known_strictly in (
        (original, True, True),
        (gzip.compress(content, mtime=2), True, False),  # gzipped anew
        (content, True, False),  # unzipped
        (gzip.compress(content + b"!", mtime=1), False, False),
        (original[:-5], False, False),
        (b"", False, False),
    ):
        path.write_bytes(written)
        assert file.is_at(path) == known
        assert strict.is_at(path) == known_strictly
