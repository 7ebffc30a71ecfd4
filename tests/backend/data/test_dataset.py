"""A data set in memory, and what a subset of its classes is."""

import pytest
import torch

from agopconsole.backend.data.dataset import Dataset, Images
from agopconsole.errors import RequestError


def numbered(*labels: int) -> Images:
    """Picture i has the value i in its one pixel."""
    return Images(torch.arange(len(labels), dtype=torch.uint8).reshape(-1, 1, 1, 1), torch.tensor(labels))


def test_a_subset_keeps_its_classes_and_counts_them_from_0():
    dataset = Dataset("d", ("a", "b", "c", "d"), numbered(3, 0, 1, 3, 2), numbered(2, 1), "here")
    subset = dataset.subset((1, 3))
    assert subset.classes == ("b", "d")
    assert subset.train.pixels.flatten().tolist() == [0, 2, 3]
    assert subset.train.labels.tolist() == [1, 0, 1]
    assert subset.test.pixels.flatten().tolist() == [1]
    assert subset.test.labels.tolist() == [0]
    assert subset.origin == "here"


def test_a_subset_of_a_set_without_a_test_split_has_none():
    assert Dataset("d", ("a", "b", "c"), numbered(0, 1, 2), None, "").subset((0, 2)).test is None


def test_a_class_that_is_not_there_is_a_wrong_request():
    with pytest.raises(RequestError, match="there is no class 3: d has the classes 0 to 2"):
        Dataset("d", ("a", "b", "c"), numbered(0, 1, 2), None, "").subset((0, 3))


@pytest.mark.parametrize(
    ("pixels", "labels"),
    [
        (torch.zeros(2, 1, 4, 4), torch.zeros(2, dtype=torch.int64)),
        (torch.zeros(2, 2, 4, 4, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64)),
        (torch.zeros(2, 1, 4, 4, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64)),
        (torch.zeros(2, 1, 4, 4, dtype=torch.uint8), torch.zeros(2, dtype=torch.uint8)),
    ],
)
def test_images_of_another_shape_or_type_are_refused(pixels, labels):
    with pytest.raises(ValueError, match=r"^(pixels|labels) are "):
        Images(pixels, labels)
