"""What became of each tensor of a source."""

import torch
from torch import nn

from agopconsole.backend.source_report import in_words, tensors_taken
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


def test_the_line_counts_each_fate_and_says_so_if_nothing_was_taken():
    said = in_words(
        {"taken": ["a.weight", "b.weight", "c.weight"], "of layers that are not under test": ["d.weight"]}
    )
    assert said == (
        "tensors of the source: 3 taken (a.weight ... c.weight), 1 of layers that are not under test (d.weight)"
    )
    assert in_words({"taken": []}) == "tensors of the source: none taken"
