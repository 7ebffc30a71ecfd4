"""Series on their way to the canvas: logarithms, bands that are not symmetrical, and cutting to a stretch of x."""

import math

import pytest

from agopconsole.analysis.series import Series, find_limits, make_curve, to_scale

nan, inf = math.nan, math.inf


def series(y, x=None, **options):
    return Series("it", "#4a7fd4", range(len(y)) if x is None else x, y, **options)


def points(*arguments, **options):
    return [point[:2] for point in to_scale(*arguments, **options).points]


def test_a_line_that_passes_the_ends_of_a_stretch_is_carried_on_to_them():
    assert points(series([0.0, 10.0, 20.0, 30.0], x=[0, 10, 20, 30]), window=(5, 25)) == [
        (5, 5.0),
        (10, 10.0),
        (20, 20.0),
        (25, 25.0),
    ]


def test_a_stretch_between_two_points_shows_the_line_between_them_with_its_band():
    scaled = to_scale(series([0.0, 10.0], x=[0, 10], band=[0.0, 5.0]), window=(2, 4))
    assert scaled.points == ((2, 2.0, 1.0, 3.0), (4, 4.0, 2.0, 6.0))


def test_the_ends_of_a_stretch_that_are_points_are_there_once():
    assert points(series([1.0, 2.0, 3.0]), window=(0, 2)) == [(0, 1.0), (1, 2.0), (2, 3.0)]


def test_beyond_all_points_there_is_nothing():
    assert points(series([1.0, 2.0]), window=(5, 6)) == []
    assert find_limits([to_scale(series([1.0, 2.0]), window=(5, 6))], window=(5, 6)) is None


def test_no_line_crosses_a_gap_into_a_stretch():
    scaled = to_scale(series([1.0, nan, 3.0]), window=(0.5, 1.5))
    assert not [point for point in scaled.points if math.isfinite(point[1])]
    assert scaled.lost == (1,)


def test_x_is_the_stretch_and_y_what_is_left_in_it():
    scaled = to_scale(series([0.0, 1.0, 2.0, 100.0]), window=(0, 2))
    limits = find_limits([scaled], window=(0, 2))
    assert (limits.x_low, limits.x_high, limits.y_low, limits.y_high) == (0, 2, 0, 2)


def test_on_a_logarithmic_scale_the_edges_of_a_band_lie_apart():
    (point,) = to_scale(series([10.0], band=[9.0]), log=True).points
    assert point == pytest.approx((0, 1.0, 0.0, math.log10(19)))


def test_a_band_that_reaches_zero_goes_on_to_the_lower_edge_of_the_chart():
    scaled = to_scale(series([10.0, 100.0], band=[20.0, 0.0]), log=True)
    limits = find_limits([scaled])
    (piece,) = make_curve(scaled, limits, 40).pieces
    assert piece.low[0] == limits.y_low <= 1.0
    assert piece.high[0] == pytest.approx(math.log10(30))


def test_values_at_zero_and_below_are_masked_counted_and_break_the_line_but_are_not_lost():
    scaled = to_scale(series([1.0, 0.0, 100.0, -3.0, 10.0]), log=True)
    assert (scaled.masked, scaled.lost, scaled.ends_lost) == (2, (), False)
    curve = make_curve(scaled, find_limits([scaled]), 40)
    assert [piece.y for piece in curve.pieces] == [[0.0], [2.0], [1.0]]


def test_what_is_masked_is_counted_in_the_stretch_alone():
    assert to_scale(series([0.0, 1.0, 0.0, 0.0]), log=True, window=(0.5, 2)).masked == 1


def test_a_linear_scale_masks_nothing():
    assert to_scale(series([0.0, -1.0])).masked == 0


def test_limits_stay_apart_where_all_values_are_one():
    limits = find_limits([to_scale(series([5.0, 5.0]), log=True)])
    assert limits.y_low < math.log10(5) < limits.y_high


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("window", [None, (0.5, 3.5), (-5, 100)])
def test_whatever_comes_in_all_that_goes_out_is_finite_and_within_the_limits(log, window):
    y = [1e308, -1e308, nan, inf, 5e-324, 0.0, 1.0, -inf, 1e-300]
    scaled = to_scale(series(y, band=[inf, 1e308, 1.0, nan, 1.0, 1.0, 2.0, 0.0, -1.0]), log=log, window=window)
    limits = find_limits([scaled], window=window)
    for piece in make_curve(scaled, limits, 10).pieces:
        assert all(limits.x_low <= x <= limits.x_high for x in piece.x)
        for values in (piece.y, piece.low, piece.high):
            assert all(limits.y_low <= value <= limits.y_high for value in values)


def test_lengths_that_differ_are_an_error():
    with pytest.raises(ValueError, match="zip"):
        to_scale(series([1.0, 2.0], x=[1]))
