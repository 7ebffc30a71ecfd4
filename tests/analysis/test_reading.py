"""The cursor: which point it reads, and where the next one is."""

import math

import pytest

from agopconsole.analysis.reading import Reading, next_place, read_at
from agopconsole.analysis.series import Series


def series(x, y=None, band=None):
    return Series("it", "#4a7fd4", x, [10.0 * i for i in x] if y is None else y, band)


@pytest.mark.parametrize(("x", "at"), [(1, 1), (1.4, 1), (1.6, 2), (0.6, 1), (3.4, 3)])
def test_it_reads_the_nearest_point(x, at):
    assert read_at(series([1, 2, 3]), x) == Reading(at, 10.0 * at, None)


@pytest.mark.parametrize("x", [-1, 0.4, 3.6, 100])
def test_beyond_the_ends_there_is_nothing_to_read(x):
    assert read_at(series([1, 2, 3]), x) is None
    assert read_at(series([1, 2, 3]), x, tolerance=200) is not None


def test_the_nearest_of_all_points_by_brute_force():
    places = [0.0, 0.1, 0.5, 2.0, 2.1, 7.0]
    for i in range(71):
        x = i / 10
        found = read_at(series(places), x)
        assert abs(found.x - x) == min(abs(place - x) for place in places)


def test_no_points_a_single_one_and_one_that_is_not_finite():
    assert read_at(series([]), 1.0) is None
    assert read_at(series([5]), 5.0) == Reading(5, 50.0, None)
    assert math.isnan(read_at(series([1], y=[math.nan]), 1.0).y)


def test_the_band_is_read_too():
    assert read_at(series([1, 2], band=[0.5, 0.7]), 2).band == 0.7


def test_a_step_goes_to_the_next_point_of_any_series():
    both = [series([1, 2, 3]), series([1.5, 6])]
    assert next_place(both, None, 1) == 6
    assert next_place(both, 1, 1) == 1.5
    assert next_place(both, 3, -1) == 2
    assert next_place(both, 6, 1) == 6
    assert next_place(both, 1, -1) == 1
    assert next_place([], None, 1) is None


def test_a_step_in_a_dense_series_can_be_seen():
    dense = [series(list(range(1000)))]
    assert next_place(dense, 100, 1, least=25.5) == 126
    assert next_place(dense, 100, -1, least=25.5) == 74
