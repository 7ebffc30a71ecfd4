"""Splits and orders: random by their seed alone, and never the same image on both sides."""

import pytest
import torch

from agopconsole.backend.data import Dataset, Images, epoch_order, split
from agopconsole.errors import RequestError


def dataset_of(n: int) -> Dataset:
    images = Images(torch.zeros(n, 1, 1, 1, dtype=torch.uint8), torch.zeros(n, dtype=torch.int64))
    return Dataset("d", ("a", "b"), images, None, "")


@pytest.mark.parametrize(("n", "fraction", "held_out"), [(50, 0.2, 10), (7, 0.5, 4), (1437, 0.2, 287), (3, 0.4, 1)])
def test_each_image_is_in_exactly_one_part(n, fraction, held_out):
    parts = split(dataset_of(n), seed=3, val_fraction=fraction)
    assert len(parts.val) == held_out
    assert sorted([*parts.train.tolist(), *parts.val.tolist()]) == list(range(n))
    assert parts.train.dtype == parts.val.dtype == torch.int64


def test_the_seed_alone_decides():
    first, again, other = (split(dataset_of(50), seed=seed, val_fraction=0.2) for seed in (1, 1, 2))
    assert torch.equal(first.train, again.train)
    assert torch.equal(first.val, again.val)
    assert not torch.equal(first.val, other.val)
    assert first.val.tolist() != sorted(first.val.tolist())


def test_the_limit_leaves_the_validation_part_alone_and_a_larger_one_contains_a_smaller():
    whole, large, small = (split(dataset_of(50), seed=1, val_fraction=0.2, limit=k) for k in (None, 30, 10))
    assert torch.equal(whole.val, small.val)
    assert torch.equal(large.train, whole.train[:30])
    assert torch.equal(small.train, large.train[:10])


@pytest.mark.parametrize(("fraction", "part"), [(0.04, "validate on"), (0.97, "train on")])
def test_neither_part_may_be_empty(fraction, part):
    with pytest.raises(RequestError, match=f"of 10 images of d leaves none to {part}"):
        split(dataset_of(10), seed=0, val_fraction=fraction)


@pytest.mark.parametrize("limit", [9, 0, -1])
def test_a_limit_beyond_what_is_there_is_a_wrong_request(limit):
    with pytest.raises(RequestError, match=rf"limit {limit}: d has 8 images to train on \(2 of 10 are held out\)"):
        split(dataset_of(10), seed=0, val_fraction=0.2, limit=limit)
    assert len(split(dataset_of(10), seed=0, val_fraction=0.2, limit=8).train) == 8


def test_the_order_of_an_epoch_is_a_permutation_by_seed_and_epoch_alone():
    orders = {(seed, epoch): epoch_order(20, seed, epoch).tolist() for seed in (0, 1) for epoch in (1, 2)}
    assert all(sorted(order) == list(range(20)) for order in orders.values())
    assert len({tuple(order) for order in orders.values()}) == 4
    assert epoch_order(20, 1, 2).tolist() == orders[1, 2]
