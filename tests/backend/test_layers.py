import pytest
from torch import nn

from agopconsole.backend.layers import choose_layers, matrix_names
from agopconsole.errors import RequestError


def test_a_choice_that_leaves_no_layer_is_an_error():
    with pytest.raises(RequestError, match="layers 'conv' names no layer of this model"):
        choose_layers(nn.Sequential(nn.Linear(2, 2)), "conv")


def test_each_group_has_a_matrix_of_its_own():
    assert matrix_names("a", nn.Conv2d(4, 4, 3)) == ["a"]
    assert matrix_names("a", nn.Conv2d(4, 4, 3, groups=2)) == ["a[0]", "a[1]"]
