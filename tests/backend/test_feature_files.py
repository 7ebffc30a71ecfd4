import pytest
import torch

from agopconsole.backend import FeatureMatrix, load_features, save_features
from agopconsole.backend.checkpoint import save_weights
from agopconsole.errors import RequestError


def test_matrices_come_back_as_they_were(tmp_path):
    path = tmp_path / "agop.safetensors"
    exact = FeatureMatrix(torch.randn(3, 18), (2, 3, 3))
    probed = FeatureMatrix(torch.randn(2, 5), relative_error=0.25)
    save_features(path, {"features.0": exact, "head": probed}, {"source": "imagenet"})
    loaded = load_features(path)
    assert torch.equal(loaded["features.0"].factor, exact.factor)
    assert (loaded["features.0"].patch_shape, loaded["features.0"].relative_error) == ((2, 3, 3), None)
    assert (loaded["head"].patch_shape, loaded["head"].relative_error) == ((5,), 0.25)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"patch_shapes": {}, "relative_errors": {}},
        {"patch_shapes": {"a": [4]}, "relative_errors": {"a": None}},
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path, metadata):
    save_weights(tmp_path / "weights.safetensors", {"a": torch.ones(2, 3)}, metadata)
    with pytest.raises(RequestError, match="holds no feature matrices"):
        load_features(tmp_path / "weights.safetensors")
