"""The eigenvectors that are read of a file without torch, against the engine's own of the same matrix."""

import numpy as np
import pytest
import torch
from helpers.imports import loaded_by

from agopconsole.analysis.filters import MOST, Filters, feature_filters, file_facts, weight_filters
from agopconsole.backend.checkpoint import save_weights
from agopconsole.backend.feature_files import save_features
from agopconsole.backend.feature_matrix import FeatureMatrix
from agopconsole.errors import RequestError


@pytest.fixture
def weights(tmp_path):
    drawn = torch.Generator().manual_seed(0)
    tensors = {
        "features.3.weight": torch.randn(6, 8, 3, 3, generator=drawn),
        "features.0.weight": torch.randn(8, 3, 3, 3, generator=drawn),
        "head.weight": torch.randn(3, 3, generator=drawn),
    }
    save_weights(tmp_path / "best.safetensors", tensors, {"epoch": 4})
    return tensors["features.0.weight"], tmp_path / "best.safetensors"


def check(found, matrix):
    vectors = matrix.eigenvectors(MOST)
    assert found.patches == pytest.approx(vectors.numpy(), abs=1e-5)
    eigenvalues = matrix.eigenvalues()
    assert found.shares == pytest.approx((eigenvalues / eigenvalues.sum()).tolist()[: len(vectors)], rel=1e-5)


def test_the_nfm_of_the_layer_that_sees_colours(weights):
    weight, path = weights
    found = weight_filters(path)
    assert found.layer == "features.0"
    assert len(found.patches) == 8  # its rank
    check(found, FeatureMatrix(weight.double().reshape(8, -1), (3, 3, 3)))
    assert file_facts(path) == {"epoch": 4}


def test_the_matrix_of_a_file_of_features(tmp_path):
    factor = torch.randn(20, 75, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    matrices = {
        "features.3": FeatureMatrix(torch.eye(8, dtype=torch.float64), (8, 1, 1)),
        "features.0": FeatureMatrix(factor, (3, 5, 5)),
    }
    save_features(tmp_path / "agop.safetensors", matrices, {"kind": "agop"})
    found = feature_filters(tmp_path / "agop.safetensors")
    assert (found.layer, found.patches.shape) == ("features.0", (MOST, 3, 5, 5))
    check(found, matrices["features.0"])


def test_in_a_picture_grey_stands_for_0_and_the_largest_entry_is_full():
    patch = np.array([[[0.0, 0.8]], [[-0.4, 0.0]], [[0.0, -0.8]]])
    assert Filters("conv", patch[None], (1.0,)).pictures().tolist() == [[[[128, 64, 128], [255, 128, 0]]]]


def test_a_network_without_such_a_layer_has_none(tmp_path):
    save_weights(tmp_path / "mlp.safetensors", {"0.weight": torch.ones(4, 3)}, {})
    assert weight_filters(tmp_path / "mlp.safetensors") is None


@pytest.mark.parametrize("read", [weight_filters, feature_filters, file_facts])
def test_what_cannot_be_read_is_said_in_a_line(tmp_path, read):
    path = tmp_path / "best.safetensors"
    with pytest.raises(RequestError, match=r"best\.safetensors' cannot be read"):
        read(path)
    path.write_bytes(bytes(100))
    with pytest.raises(RequestError, match=r"^[^\n]*best\.safetensors' cannot be read[^\n]*$"):
        read(path)


def test_weights_are_no_feature_matrices(weights):
    with pytest.raises(RequestError, match="holds no feature matrices"):
        feature_filters(weights[1])


def test_reading_them_takes_no_torch(weights):
    modules, said = loaded_by(
        "import sys; from pathlib import Path; from agopconsole.analysis.filters import weight_filters;"
        "print(weight_filters(Path(sys.argv[1])).layer)",
        str(weights[1]),
    )
    assert said == "features.0\n"
    assert not {"torch", "torchvision", "scipy", "sklearn"} & modules
