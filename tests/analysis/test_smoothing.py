"""Smoothing: against the weighted means written out, and on the series that it must leave alone."""

import math

import pytest

from agopconsole.analysis.smoothing import smooth

nan, inf = math.nan, math.inf


def by_definition(x, y, reach):
    """Each point the mean of all up to it, weighted by exp(-distance / reach)."""
    out = []
    for i, here in enumerate(x):
        if not math.isfinite(y[i]):
            out.append(y[i])
            continue
        seen = [(math.exp(-(here - x[j]) / reach), y[j]) for j in range(i + 1) if math.isfinite(y[j])]
        out.append(math.fsum(w * v for w, v in seen) / math.fsum(w for w, _ in seen))
    return out


@pytest.mark.parametrize("reach", [0.3, 2.0, 50.0])
def test_it_is_the_weighted_mean_of_what_came_before(reach):
    x = [i + 0.3 * math.sin(i) for i in range(60)]
    y = [math.cos(i / 3) + 0.5 * math.sin(7 * i) for i in range(60)]
    assert smooth(x, y, reach) == pytest.approx(by_definition(x, y, reach), rel=1e-12, abs=1e-12)


def test_points_far_apart_stay_where_they_are():
    assert smooth([0, 100, 200], [1.0, 5.0, 2.0], 1.0) == pytest.approx([1.0, 5.0, 2.0], abs=1e-12)


def test_equal_values_stay_equal_to_the_last_bit():
    assert smooth(range(1000), [0.1] * 1000, 30.0) == [0.1] * 1000


def test_a_value_that_is_not_finite_stays_and_the_mean_passes_over_it():
    y = [1.0, nan, 3.0, inf, -inf, 2.0]
    smoothed = smooth(range(6), y, 2.0)
    assert math.isnan(smoothed[1])
    assert smoothed[3:5] == [inf, -inf]
    finite = [0, 2, 5]
    assert [smoothed[i] for i in finite] == pytest.approx([by_definition(range(6), y, 2.0)[i] for i in finite])


@pytest.mark.parametrize("reach", [0.0, -1.0, nan, inf])
def test_without_a_reach_nothing_changes(reach):
    assert smooth([1, 2, 3], [3.0, 1.0, 2.0], reach) == [3.0, 1.0, 2.0]


@pytest.mark.parametrize("reach", [0.0, 1.0])
def test_x_and_y_must_be_of_one_length(reach):
    with pytest.raises(ValueError, match="2 places for 3 values"):
        smooth([1, 2], [1.0, 2.0, 3.0], reach)


def test_the_largest_floats_do_not_overflow():
    assert all(map(math.isfinite, smooth(range(4), [1e308, -1e308, 1e308, 1.0], 2.0)))


def test_nothing_and_a_single_point():
    assert smooth([], [], 1.0) == []
    assert smooth([3], [7.0], 1.0) == [7.0]
