"""Matrices that others keep whole, and those that are none."""

import numpy as np
import pytest
import torch
from torch import nn

from agopconsole.backend import load_features
from agopconsole.backend.dense_matrices import from_dense
from agopconsole.backend.feature_files import fitted
from agopconsole.errors import RequestError


def gram(rank, dim):
    rows = torch.randn(rank, dim, dtype=torch.float64, generator=torch.Generator().manual_seed(rank))
    return rows.T @ rows


def with_eigenvalue(value):
    basis = torch.linalg.qr(gram(6, 6)).Q
    return basis @ torch.diag(torch.tensor([1.0, 0.7, 0.5, 0.2, 0.1, value], dtype=torch.float64)) @ basis.T


def test_a_singular_matrix_becomes_a_factor_of_its_rank():
    matrix = gram(3, 10)
    feature = from_dense(matrix)
    assert feature.factor.shape == (3, 10)
    torch.testing.assert_close(feature.dense().double(), matrix, rtol=0, atol=1e-5 * float(matrix.abs().max()))


@pytest.mark.parametrize(
    ("matrix", "wrong"),
    [
        (with_eigenvalue(-0.43), "lowest eigenvalue is -0.43"),
        (with_eigenvalue(-1e-4), "not positive semi-definite"),
        (torch.tensor([[1.0, 0.5], [0.2, 1.0]]), "not symmetric"),
        (torch.tensor([[1.0, torch.nan], [torch.nan, 1.0]]), "not finite"),
        (torch.ones(2, 3), "square"),
        (torch.ones(0, 0), "square"),
    ],
)
def test_what_is_no_feature_matrix_is_refused(matrix, wrong):
    with pytest.raises(ValueError, match=wrong):
        from_dense(matrix)


def test_rounding_below_zero_is_forgiven():
    assert from_dense(with_eigenvalue(-1e-7)).factor.shape == (5, 6)


def folder_of(tmp_path, *matrices):
    for index, matrix in enumerate(matrices):
        np.savetxt(tmp_path / f"layer_{index}.csv", matrix.numpy(), delimiter=",")
    return tmp_path


def test_a_folder_of_csv_matrices_fits_the_convolutions_in_order(tmp_path):
    first, second = gram(4, 27), gram(5, 36)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.Flatten(), nn.Linear(5, 2))
    features = fitted(load_features(folder_of(tmp_path, first, second)), model)
    assert list(features) == ["0", "2"]
    assert features["2"].patch_shape == (4, 3, 3)
    torch.testing.assert_close(features["2"].dense().double(), second, rtol=0, atol=1e-5 * float(second.abs().max()))


def test_matrices_that_do_not_fit_are_named_with_both_shapes(tmp_path):
    matrices = load_features(folder_of(tmp_path, gram(4, 18)))
    with pytest.raises(RequestError, match=r"for 0 has the shape \(18, 18\).*\(27, 27\)"):
        fitted(matrices, nn.Sequential(nn.Conv2d(3, 4, 3)))
    with pytest.raises(RequestError, match="names no layer"):
        fitted(matrices, nn.Sequential(nn.Linear(3, 4)))


def test_a_folder_without_matrices_or_with_a_hole_or_rubbish_is_an_error(tmp_path):
    with pytest.raises(RequestError, match=r"holds no layer_0\.csv"):
        load_features(tmp_path)
    (tmp_path / "layer_1.csv").write_text("1\n")
    with pytest.raises(RequestError, match=r"holds no layer_0\.csv, but later ones"):
        load_features(tmp_path)
    (tmp_path / "layer_0.csv").write_text("1,two\n3,4\n")
    with pytest.raises(RequestError, match=r"layer_0\.csv' holds no feature matrix"):
        load_features(tmp_path)
