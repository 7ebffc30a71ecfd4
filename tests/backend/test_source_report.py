"""What became of each tensor of a source."""

from collections import OrderedDict

import torch
from torch import nn

from agopconsole.backend.source_report import in_words, matched_in_words, tensors_taken
from agopconsole.methods import METHODS


def network():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2))


def source():
    return {**network().state_dict(), "head.weight": torch.zeros(5, 4)}


STARTED = {"0": "method", "1": "kaiming_normal"}


def test_features_take_the_weights_of_the_layers_that_fit_and_every_other_tensor_has_its_reason():
    found = tensors_taken(source(), network(), METHODS["nfm"], "conv", STARTED)
    assert found == {
        "taken": ["0.weight"],
        "biases of the layers under test, which start at 0": ["0.bias", "1.bias"],
        "of another shape than the network's": ["1.weight"],
        "of layers that are not under test": [
            *(f"2.{name}" for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")),
            *("3.weight", "3.bias"),
        ],
        "of layers that the network does not have": ["head.weight"],
    }


def test_pretrained_takes_the_biases_too():
    found = tensors_taken(source(), network(), METHODS["pretrained"], "conv", {"0": "method", "1": "method"})
    assert found["taken"] == ["0.weight", "0.bias", "1.weight", "1.bias"]


def other_source():
    """The network's convolutions under other names, one of which is that of a norm layer of it."""
    layers = {"first": nn.Conv2d(3, 4, 3), "2": nn.Conv2d(4, 4, 3), "1": nn.BatchNorm2d(4)}
    return nn.Sequential(OrderedDict(layers)).state_dict()


def test_tensors_of_another_network_are_known_by_the_layers_that_they_stand_for():
    names = {"0": "first", "1": "2"}
    found = tensors_taken(other_source(), network(), METHODS["nfm"], "0", {"0": "method"}, names)
    assert found == {
        "taken": ["first.weight"],
        "biases of the layers under test, which start at 0": ["first.bias"],
        "of layers that are not under test": ["2.weight", "2.bias"],
        "of layers that correspond to none of the network's": [
            f"1.{name}" for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        ],
    }
    assert matched_in_words(names, ["0", "1", "9"]) == "layers of the source, matched by order: first for 0, 2 for 1"


def test_the_line_counts_each_fate_and_says_so_if_nothing_was_taken():
    said = in_words(
        {"taken": ["a.0.weight", "a.18.weight", "a.3.weight"], "of layers that are not under test": ["d.weight"]}
    )
    assert said == (
        "tensors of the source: 3 taken (a.0.weight ... a.18.weight), 1 of layers that are not under test (d.weight)"
    )
    assert in_words({"taken": []}) == "tensors of the source: none taken"
