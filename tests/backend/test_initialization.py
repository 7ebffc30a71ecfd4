"""The methods: which distribution, which scale, and that nothing else changes."""

import math

import pytest
import torch
from torch import nn

from agopconsole.backend import FeatureMatrix, delta_orthogonal_, initialize, nfm, nfm_
from agopconsole.errors import RequestError
from agopconsole.methods import METHODS, compose

D = 4 * 3 * 3


def network(filters: int = 4000) -> nn.Sequential:
    """A convolution with many filters of d = 36, so that a draw's statistics are sharp, and a classifier."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(4, filters, 3), nn.Flatten(), nn.Linear(filters, 3))


def source(rank: int = 5) -> dict[str, FeatureMatrix]:
    factor = torch.randn(rank, D, generator=torch.Generator().manual_seed(1))
    return {"0": FeatureMatrix(factor, (4, 3, 3))}


def filters(model: nn.Module) -> torch.Tensor:
    return model[0].weight.detach().flatten(1)


@pytest.mark.parametrize(
    ("method", "variance"),
    [
        ("normal", 0.05**2),
        ("uniform", 0.05**2 / 12),
        ("kaiming_normal", 2 / D),
        ("kaiming_uniform", 2 / D),
        ("lecun_normal", 1 / D),
        ("xavier_normal", 2 * 2 / (D + 4000 * 9)),
        ("xavier_uniform", 2 * 2 / (D + 4000 * 9)),
        ("orthogonal", 2 / 4000),
    ],
)
def test_isotropic_methods_have_their_variance(method, variance):
    model = network()
    initialize(model, method)
    # 144,000 draws: the sample variance lies within 2 % but for one time in a million.
    assert float(filters(model).var()) == pytest.approx(variance, rel=0.02)
    assert float(filters(model).mean()) == pytest.approx(0, abs=4 * math.sqrt(variance / 144000))


@pytest.mark.parametrize(("method", "bound"), [("uniform", 0.025), ("kaiming_uniform", math.sqrt(6 / D))])
def test_uniform_methods_keep_to_their_bounds(method, bound):
    model = network()
    initialize(model, method)
    assert bound * 0.999 < filters(model).abs().max() <= bound


def test_orthogonal_filters_are_orthogonal():
    model = network(filters=20)
    initialize(model, "orthogonal")
    assert torch.allclose(filters(model) @ filters(model).T, 2 * torch.eye(20), atol=1e-5)


@pytest.mark.parametrize(("method", "trace"), [("nfm", 1), ("agop", 1), ("kaiming_nfm", 2), ("kaiming_agop", 2)])
@pytest.mark.parametrize("times", [1e-3, 1.0, 1e4])
def test_feature_methods_draw_from_the_matrix_whatever_its_scale(method, trace, times):
    given = {"0": FeatureMatrix(source()["0"].factor * times, (4, 3, 3))}
    model = network()
    initialize(model, method, features=given)
    expected = given["0"].scaled(trace=trace).dense()
    sample = filters(model).T @ filters(model) / 4000
    assert (sample - expected).norm() < 0.1 * expected.norm()
    assert float(sample.trace()) == pytest.approx(trace, rel=0.05)
    assert torch.linalg.matrix_rank(filters(model)) == 5


@pytest.mark.parametrize(("init", "divisor"), [("kaiming_nfm", 1), ("kaiming_agop", 100)])
def test_poster_scale_is_the_posters_covariance(init, divisor):
    model = network()
    initialize(model, compose(init, scale="poster"), features=source())
    expected = math.sqrt(2) / math.sqrt(D) / divisor * source()["0"].dense() + 1e-6 * torch.eye(D)
    sample = filters(model).T @ filters(model) / 4000
    assert (sample - expected).norm() < 0.1 * expected.norm()
    # The shift makes the filters leave the matrix's 5 dimensions.
    assert torch.linalg.matrix_rank(filters(model), rtol=1e-6) == D


def test_poster_shift_adds_the_smallest_eigenvalue():
    full = {"0": FeatureMatrix(10 * torch.eye(D), (4, 3, 3))}
    model = network()
    initialize(model, compose("kaiming_nfm", scale="poster"), features=full)
    variance = 2 * math.sqrt(2) / math.sqrt(D) * 100
    assert float(filters(model).var()) == pytest.approx(variance, rel=0.02)


def test_each_group_draws_from_its_own_matrix():
    model = nn.Sequential(nn.Conv2d(4, 6, 3, groups=2))
    blocks = {f"0[{g}]": FeatureMatrix(torch.eye(18)[g : g + 1], (2, 3, 3)) for g in range(2)}
    initialize(model, "nfm", features=blocks)
    weight = model[0].weight.detach().flatten(1)
    assert (weight[:3, 1:] == 0).all()
    assert (weight[3:, 0] == 0).all()
    assert (weight[:3, 0] != 0).all()


def test_only_the_layers_under_test_change():
    model = network(filters=8)
    with torch.no_grad():
        model[0].bias.fill_(7)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert initialize(model, "kaiming_normal") == {"0": "method"}
    assert (model[0].bias == 0).all()
    assert torch.equal(model[2].weight, before["2.weight"])
    assert torch.equal(model[2].bias, before["2.bias"])
    assert not torch.equal(model[0].weight, before["0.weight"])


def test_default_touches_nothing():
    model = network(filters=8)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    initialize(model, "default", layers="all")
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_a_layers_draw_depends_on_its_name_and_the_seed_alone():
    models = [network(filters=8) for _ in range(4)]
    initialize(models[0], "kaiming_normal", layers="all", seed=1)
    initialize(models[1], "kaiming_normal", layers="0", seed=1)
    initialize(models[2], "kaiming_normal", seed=2)
    assert torch.equal(filters(models[0]), filters(models[1]))
    assert not torch.equal(filters(models[0]), filters(models[2]))
    # The isotropic twins of one seed are one draw at two scales.
    initialize(models[3], "lecun_normal", seed=1)
    assert torch.allclose(filters(models[3]) * math.sqrt(2), filters(models[0]))


@pytest.mark.parametrize(("layers", "names"), [("conv", "0 1"), ("all", "0 1 3"), ("first:1", "0"), ("1,3", "1 3")])
def test_layers_are_chosen(layers, names):
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 3), nn.Flatten(), nn.Linear(2, 2))
    assert list(initialize(model, "normal", layers=layers)) == names.split()


def test_a_layer_that_is_not_there_is_named():
    with pytest.raises(RequestError, match=r"no layer 'conv9'.*choose from 0, 2"):
        initialize(network(8), "normal", layers="conv9")


def test_a_method_that_is_none_is_named():
    with pytest.raises(RequestError, match="unknown method 'kaiming_npm'; did you mean 'kaiming_nfm'"):
        initialize(network(4), "kaiming_npm")


@pytest.mark.parametrize(
    ("features", "said"),
    [
        (None, "none were given"),
        ({}, "layer '0'.*no NFM"),
        ({"0": FeatureMatrix(torch.ones(2, 27), (3, 3, 3))}, r"layer '0'.*36.*27 \(3, 3, 3\)"),
        ({"0": FeatureMatrix(torch.zeros(2, D))}, "is zero"),
    ],
)
def test_a_source_that_does_not_fit_is_an_error_that_names_the_layer(features, said):
    model = network(8)
    with pytest.raises(RequestError, match=said):
        initialize(model, "nfm", features=features)


@pytest.mark.parametrize("fallback", ["kaiming_normal", "default"])
def test_a_fallback_starts_what_does_not_fit(fallback):
    model, plain = network(8), network(8)
    assert initialize(model, "nfm", features={}, fallback=fallback) == {"0": fallback}
    initialize(plain, fallback)
    assert torch.equal(filters(model), filters(plain))


def test_pretrained_copies_weights_and_biases_of_the_layers_under_test():
    model, trained = network(8), network(8)
    with torch.no_grad():
        for parameter in trained.parameters():
            parameter.add_(1)
    initialize(model, "pretrained", weights=trained.state_dict())
    assert torch.equal(model[0].weight, trained[0].weight)
    assert torch.equal(model[0].bias, trained[0].bias)
    assert not torch.equal(model[2].weight, trained[2].weight)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (None, "none were given"),
        ({}, "no tensor '0.weight'"),
        ({"0.weight": torch.zeros(8, 3, 3, 3)}, r"\(8, 4, 3, 3\).*\(8, 3, 3, 3\)"),
    ],
)
def test_pretrained_names_what_is_missing_or_does_not_fit(weights, said):
    with pytest.raises(RequestError, match=said):
        initialize(network(8), "pretrained", weights=weights)


def test_every_preset_can_be_drawn():
    for name in METHODS.keys() - {"mimetic"}:  # it has no attention
        model = network(8)
        images = torch.randn(4, 4, 3, 3, generator=torch.Generator().manual_seed(2))
        initialize(model, name, features=source(), weights=network(8).state_dict(), images=images)
        assert torch.isfinite(model[0].weight).all()


def test_a_larger_target_layer_draws_more_filters_from_one_source():
    small = nn.Sequential(nn.Conv2d(4, 6, 3))
    model = network(filters=50)
    initialize(model, "kaiming_nfm", features=nfm(small))
    assert torch.linalg.matrix_rank(filters(model)) == 6


def test_nfm_fills_one_tensor_with_the_matrix_s_covariance():
    (matrix,) = source().values()
    weight = torch.empty(20_000, 4, 3, 3)
    assert nfm_(weight, matrix, trace=3.0, generator=torch.Generator().manual_seed(0)) is weight
    drawn = weight.flatten(1)
    wanted = matrix.dense() * 3 / matrix.trace()
    covariance = drawn.T @ drawn / len(drawn)
    assert torch.linalg.norm(covariance - wanted) / torch.linalg.norm(wanted) < 0.05  # 20,000 draws of rank 5: 0.02
    with pytest.raises(ValueError, match="filters of 9 entries"):
        nfm_(torch.empty(2, 3, 3), matrix)


def test_delta_orthogonal_keeps_lengths_through_a_convolution():
    weight = delta_orthogonal_(torch.empty(8, 6, 3, 3), gain=2.0, generator=torch.Generator().manual_seed(0))
    middle = weight[:, :, 1, 1]
    assert torch.allclose(middle.T @ middle, 4 * torch.eye(6), atol=1e-5)
    assert float(weight.square().sum()) == pytest.approx(4 * 6)
    x = torch.randn(2, 6, 5, 5)
    out = nn.functional.conv2d(x, weight, padding=1)
    assert float(out.norm()) == pytest.approx(2 * float(x.norm()), rel=1e-5)
