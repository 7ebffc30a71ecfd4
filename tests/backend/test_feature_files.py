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


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_half_precision_takes_half_the_bytes_at_an_error_below_a_thousandth_whatever_the_scale(tmp_path, size):
    exact = FeatureMatrix(torch.randn(64, 576, generator=torch.Generator().manual_seed(0)) * size, (64, 3, 3))
    save_features(tmp_path / "whole.safetensors", {"a": exact}, {})
    save_features(tmp_path / "half.safetensors", {"a": exact}, {}, half=True)
    loaded = load_features(tmp_path / "half.safetensors")["a"]
    truth = exact.dense().double()
    assert loaded.factor.dtype == torch.float32
    assert (loaded.dense().double() - truth).norm() / truth.norm() < 1e-3
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("whole", "half")]
    assert sizes[1] < 0.52 * sizes[0]


def test_a_matrix_of_zeros_is_one_in_half_precision_too(tmp_path):
    save_features(tmp_path / "zero.safetensors", {"a": FeatureMatrix(torch.zeros(2, 5))}, {}, half=True)
    assert torch.equal(load_features(tmp_path / "zero.safetensors")["a"].factor, torch.zeros(2, 5))


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"patch_shapes": {}, "relative_errors": {}},
        {"patch_shapes": {"a": [4]}, "relative_errors": {"a": None}},
        {"patch_shapes": {"a": [3]}, "relative_errors": {"a": None}, "scales": {"b": 2.0}},
        {"patch_shapes": {"a": [3]}, "relative_errors": {"a": None}, "scales": [2.0]},
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path, metadata):
    save_weights(tmp_path / "weights.safetensors", {"a": torch.ones(2, 3)}, metadata)
    with pytest.raises(RequestError, match="holds no feature matrices"):
        load_features(tmp_path / "weights.safetensors")
