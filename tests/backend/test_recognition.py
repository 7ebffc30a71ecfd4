"""What network a file's tensors are of."""

import pytest
import torch

from agopconsole.backend.models import build_model
from agopconsole.backend.recognition import fitting, misfit
from agopconsole.catalogue import MODELS


def tensors_of(name):
    with torch.device("meta"):
        return build_model(name, classes=7, image_size=32).state_dict()


@pytest.mark.parametrize("name", MODELS)
def test_the_tensors_of_a_network_fit_that_network_alone(name):
    assert fitting(tensors_of(name)) == [name]


def test_a_file_without_classifier_and_norms_is_recognised_by_its_convolutions():
    kept = {f"{name}.weight" for name in MODELS["vgg11_bn"].convolutions}
    tensors = {name: tensor for name, tensor in tensors_of("vgg11_bn").items() if name in kept}
    assert fitting(tensors) == ["vgg11_bn"]
    assert "classifier.0.weight" in misfit("vgg11_bn", tensors, with_head=True)


def test_tensors_of_no_network_fit_none():
    assert fitting({"encoder.weight": torch.zeros(3)}) == []
