"""Streams: one seed, many independent draws."""

import torch

from agopconsole.backend.rng import stream, stream_seed


def test_a_stream_depends_on_seed_and_name_alone():
    assert torch.equal(torch.rand(3, generator=stream(1, "order", 2)), torch.rand(3, generator=stream(1, "order", 2)))


def test_streams_of_other_names_epochs_and_seeds_differ():
    seeds = {stream_seed(s, name, epoch) for s in range(5) for name in ("order", "dropout") for epoch in range(5)}
    assert len(seeds) == 50
    assert stream_seed(1, "a", 23) != stream_seed(1, "a2", 3) != stream_seed(12, "a", 3)


def test_two_streams_are_uncorrelated():
    draws = torch.stack([torch.randn(20000, generator=stream(0, "weights", name)) for name in ("a", "b")])
    assert abs(float(torch.corrcoef(draws)[0, 1])) < 4 / 20000**0.5
