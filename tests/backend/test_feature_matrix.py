"""FeatureMatrix against dense linear algebra in float64, and its draws by their statistics."""

import math

import pytest
import torch
from torch.nn import functional

from agopconsole.backend import FeatureMatrix

SHAPES = [(3, 10), (10, 10), (30, 10)]


def matrix(r: int, d: int, seed: int = 0) -> FeatureMatrix:
    generator = torch.Generator().manual_seed(seed)
    return FeatureMatrix(torch.randn(r, d, dtype=torch.float64, generator=generator))


@pytest.mark.parametrize(("r", "d"), SHAPES)
def test_trace_eigenvalues_and_rank_are_those_of_the_dense_matrix(r, d):
    m = matrix(r, d)
    expected = torch.linalg.eigvalsh(m.dense()).flip(0)
    assert m.trace() == pytest.approx(float(m.dense().trace()))
    assert m.rank == min(r, d)
    assert torch.allclose(m.eigenvalues(), expected[: m.rank])


def test_rank_counts_directions_not_rows():
    factor = torch.randn(6, 3, dtype=torch.float64) @ torch.randn(3, 10, dtype=torch.float64)
    assert FeatureMatrix(factor).rank == 3
    assert FeatureMatrix(factor.float()).rank == 3
    assert FeatureMatrix(torch.zeros(4, 10)).rank == 0


@pytest.mark.parametrize(("r", "d"), SHAPES)
@pytest.mark.parametrize("p", [0.5, 2, 3])
def test_power_is_that_of_the_dense_spectrum(r, d, p):
    m = matrix(r, d)
    values, vectors = torch.linalg.eigh(m.dense())
    expected = (vectors * values.clamp_min(0) ** p) @ vectors.T
    # The dense spectrum knows its zeros to 1e-16 only, and their square root to 1e-8.
    assert torch.allclose(m.power(p).dense(), expected, rtol=1e-8, atol=1e-7 * float(expected.abs().max()))


def test_power_of_a_singular_matrix_is_positive():
    with pytest.raises(ValueError, match="positive powers"):
        matrix(3, 10).power(-1)


def test_scaled_has_the_trace_asked_for_and_zeros_have_none():
    assert matrix(3, 10).scaled(trace=2).trace() == pytest.approx(2)
    with pytest.raises(ValueError, match="zeros"):
        FeatureMatrix(torch.zeros(2, 4)).scaled(trace=1)


@pytest.mark.parametrize(("r", "d"), SHAPES)
def test_draws_have_the_covariance_even_where_it_is_singular(r, d):
    m = matrix(r, d)
    n = 40000
    draws = m.sample(n, generator=torch.Generator().manual_seed(3))
    covariance = draws.T @ draws / n
    # Each entry of a sample covariance has the variance (S_ij^2 + S_ii S_jj) / n; five of those is far out.
    s = m.dense()
    deviation = ((s**2 + s.diagonal()[:, None] * s.diagonal()) / n).sqrt()
    assert draws.shape == (n, d)
    assert ((covariance - s).abs() / deviation).max() < 5
    assert (draws.mean(0).abs() / (s.diagonal() / n).sqrt()).max() < 5


def test_draws_stay_in_the_span_of_a_singular_matrix():
    m = matrix(3, 10)
    draws = m.sample(7, generator=torch.Generator())
    assert torch.linalg.matrix_rank(torch.cat([m.factor, draws])) == 3


def test_one_generator_state_gives_one_draw():
    m = matrix(3, 10)
    first, again, other = (m.sample(5, generator=torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_correlation_is_pearsons_over_all_entries():
    a, b = matrix(3, 10), matrix(12, 10, seed=1)
    expected = torch.corrcoef(torch.stack([a.dense().flatten(), b.dense().flatten()]))[0, 1]
    before = a.factor.clone()
    assert a.correlation(b) == pytest.approx(float(expected), abs=1e-12)
    assert a.correlation(a) == pytest.approx(1)
    assert torch.equal(a.factor, before)


def test_correlation_with_a_constant_matrix_is_not_a_number():
    assert math.isnan(matrix(3, 4).correlation(FeatureMatrix(torch.ones(1, 4))))


def test_inner_product_and_correlation_refuse_other_dimensions():
    with pytest.raises(ValueError, match="10 and 9"):
        matrix(3, 10).correlation(matrix(3, 9))


@pytest.mark.parametrize("power", [0.5, 1.0, 1.5])
def test_feature_map_is_the_norm_of_a_power_of_the_matrix_times_each_patch(power):
    m = FeatureMatrix(matrix(5, 2 * 3 * 3).factor, (2, 3, 3))
    images = torch.randn(2, 2, 9, 8, dtype=torch.float64)
    patches = functional.unfold(images, 3, dilation=2, padding=1, stride=2)
    eigenvalues, vectors = torch.linalg.eigh(m.dense())
    norms = ((vectors * eigenvalues.clamp_min(0) ** power) @ vectors.T @ patches).norm(dim=1)
    low, high = norms.amin(1, keepdim=True), norms.amax(1, keepdim=True)
    expected = ((norms - low) / (high - low)).reshape(2, 4, 3)
    assert torch.allclose(m.feature_map(images, power=power, stride=2, padding=1, dilation=2), expected)


def test_eigenvectors_are_patches_of_unit_length_the_largest_eigenvalue_first():
    m = FeatureMatrix(matrix(5, 2 * 3 * 3).factor, (2, 3, 3))
    vectors = m.eigenvectors(3)
    assert vectors.shape == (3, 2, 3, 3)
    flat = vectors.flatten(1)
    assert torch.allclose(flat @ m.dense().double(), m.eigenvalues()[:3, None] * flat, atol=1e-6)
    assert torch.allclose(flat @ flat.T, torch.eye(3, dtype=torch.float64), atol=1e-9)
    assert (flat.amax(1) == flat.abs().amax(1)).all()
    assert len(m.eigenvectors(99)) == m.rank == 5


def test_feature_map_of_a_blank_image_is_zero():
    m = FeatureMatrix(torch.ones(1, 9), (1, 3, 3))
    assert torch.equal(m.feature_map(torch.zeros(1, 1, 5, 5)), torch.zeros(1, 3, 3))


def test_feature_map_needs_image_patches():
    with pytest.raises(ValueError, match="image patches"):
        matrix(3, 10).feature_map(torch.zeros(1, 1, 5, 5))


@pytest.mark.parametrize(
    ("factor", "shape", "said"),
    [
        (torch.zeros(3), (), "shape"),
        (torch.tensor([[1.0, math.nan]]), (), "not finite"),
        (torch.ones(2, 9), (2, 3, 3), "9 entries"),
    ],
)
def test_what_is_no_factor_is_refused(factor, shape, said):
    with pytest.raises(ValueError, match=said):
        FeatureMatrix(factor, shape)
