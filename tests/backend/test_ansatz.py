"""The ansatz against correlations of dense matrices in float64."""

import math

import numpy as np
import pytest
import torch
from helpers.networks import odd_net, some_images

from agopconsole.backend import agop, nfm
from agopconsole.backend.ansatz import beside_start, measure_ansatz


def pearson(a, b):
    return np.corrcoef(a.double().flatten().numpy(), b.double().flatten().numpy())[0, 1]


def root(matrix):
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag(values.clamp_min(0).sqrt()) @ vectors.T


def test_the_three_correlations_are_those_of_the_dense_matrices():
    net, start, images = odd_net(), odd_net(), some_images()
    with torch.no_grad():
        for parameter in start.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2)).double()
    initial = nfm(start)
    now, gradients = nfm(net), agop(net, images)
    records = measure_ansatz(net, images, initial=initial)
    assert [record.layer for record in records] == list(gradients)
    for record in records:
        weights, outer = now[record.layer].dense(), gradients[record.layer].dense()
        assert record.nfm_agop == pytest.approx(pearson(weights, outer), abs=1e-9)
        assert record.nfm_agop_sqrt == pytest.approx(pearson(weights, root(outer)), abs=1e-6)
        assert record.nfm_initial_nfm == pytest.approx(pearson(weights, initial[record.layer].dense()), abs=1e-9)


def test_it_leaves_the_network_and_the_global_stream_as_they_were():
    net = odd_net().train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    state = torch.get_rng_state()
    measure_ansatz(net, some_images(), initial=nfm(net))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert net.training


def test_beside_the_start_stand_the_same_three_and_nothing_is_claimed_of_an_unknown_one():
    net = odd_net()
    rows = beside_start(measure_ansatz(net, some_images()), measure_ansatz(net, some_images(), initial=nfm(net)))
    for row in rows:
        assert math.isnan(row["nfm_initial_nfm"])
        assert row["start_nfm_initial_nfm"] == pytest.approx(1)
        assert row["start_nfm_agop"] == row["nfm_agop"]
