"""Ticks: round numbers within the axis, in words that tell them apart."""

import itertools
import math
import random

import pytest

from agopconsole.analysis.ticks import (
    log_ticks,
    round_ticks,
    row_scale,
    tick_labels,
    time_label,
    time_ticks,
)


@pytest.mark.parametrize(
    ("low", "high", "count", "labels"),
    [
        (0, 100, 5, ["0", "20", "40", "60", "80", "100"]),
        (7.3, 93.1, 4, ["20", "40", "60", "80"]),
        (-0.4, 0.7, 4, ["-0.4", "-0.2", "0.0", "0.2", "0.4", "0.6"]),
        (9.5, 10.5, 2, ["9.5", "10.0", "10.5"]),
        (0, 1e9, 4, ["0", "2e8", "4e8", "6e8", "8e8", "1e9"]),
        (0, 1e-5, 2, ["0", "5e-6", "1e-5"]),
        (2.3021, 2.3033, 3, ["2.3025", "2.3030"]),
        (-0.0007, 0, 3, ["-0.0006", "-0.0004", "-0.0002", "0"]),
    ],
)
def test_ticks(low, high, count, labels):
    assert tick_labels(round_ticks(low, high, count)) == labels


def test_epochs_are_whole():
    assert round_ticks(1, 3, 9, whole=True) == [1, 2, 3]


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1, 1e6, 1e29])
def test_ticks_lie_within_the_axis(scale):
    ticks = round_ticks(-1.37 * scale, 2.71 * scale, 6)
    assert 3 <= len(ticks) <= 10
    assert all(-1.371 * scale <= tick <= 2.711 * scale for tick in ticks)


def test_a_single_tick_says_what_it_is():
    assert tick_labels([1.5]) == ["1.5"]
    assert tick_labels([]) == []


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0, 60, ["0s", "15s", "30s", "45s", "1:00"]),
        (0, 600, ["0s", "2:00", "4:00", "6:00", "8:00", "10:00"]),
        (0, 9 * 3600, ["0s", "2h", "4h", "6h", "8h"]),
        (0, 4 * 86400, ["0s", "24h", "48h", "72h", "96h"]),
        (0, 0.5, ["0s", "0.1s", "0.2s", "0.3s", "0.4s", "0.5s"]),
    ],
)
def test_times_are_round_in_the_units_of_a_clock(low, high, labels):
    assert [time_label(place) for place in time_ticks(low, high, 4)] == labels


def test_a_time_is_said_in_its_largest_units():
    assert [time_label(s) for s in (0.25, 59, 90, 3600, 9000)] == ["0.25s", "59s", "1:30", "1h", "2h30"]


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (-3, 1, ["0.001", "0.01", "0.1", "1", "10"]),
        (math.log10(0.2), math.log10(9), ["0.2", "0.5", "1", "2", "5"]),
        (math.log10(2.1), math.log10(2.9), ["2.2", "2.4", "2.6", "2.8"]),
        (-8, -4, ["1e-8", "1e-7", "1e-6", "1e-5", "1e-4"]),
        (4, 8, ["10000", "1e5", "1e6", "1e7", "1e8"]),
    ],
)
def test_a_logarithmic_axis_is_labelled_with_the_values(low, high, labels):
    places, words = log_ticks(low, high, 5)
    assert words == labels
    assert all(low - 1e-9 <= place <= high + 1e-9 for place in places)
    assert [10**place for place in places] == pytest.approx([float(word) for word in words])


def made_up(rows, count=500):
    draw = random.Random(rows)
    lows = [draw.uniform(-50, 50) for _ in range(count)]
    return [(low, low + 10 ** draw.uniform(-3, 3)) for low in lows]


def rows_of(bottom, top, ticks, rows):
    return [(tick - bottom) / (top - bottom) * (rows - 1) for tick in ticks]


@pytest.mark.parametrize("rows", [5, 8, 12, 20, 32])
def test_an_axis_shows_all_of_its_range_and_leaves_few_rows_empty(rows):
    left_empty = []
    for low, high in made_up(rows):
        bottom, top, ticks = row_scale(low, high, rows)
        assert bottom <= low < high <= top
        assert ticks
        assert all(bottom - 1e-9 * (top - bottom) <= tick <= top + 1e-9 * (top - bottom) for tick in ticks)
        left_empty.append((rows - 1) * (1 - (high - low) / (top - bottom)))
    assert max(left_empty) < min(3, 0.4 * rows + 1e-9)
    assert sum(left_empty) / len(left_empty) < 0.8


@pytest.mark.parametrize("rows", [6, 8, 12, 20, 32])
def test_ticks_are_evenly_spaced_on_a_low_axis_and_too_far_apart_to_show_it_on_a_tall_one(rows):
    even = 0
    for low, high in made_up(rows):
        bottom, top, ticks = row_scale(low, high, rows)
        places = rows_of(bottom, top, ticks, rows)
        apart = [after - before for before, after in itertools.pairwise(places)]
        assert 2 <= len(ticks) <= 12
        if len(ticks) == 2 or all(abs(place - round(place)) < 1e-6 for place in places):
            even += 1
            assert len({round(gap) for gap in apart}) == 1
        else:
            assert all(gap > (2 if rows > 6 else 1.6) for gap in apart)
    assert even > (440 if rows < 10 else 200 if rows < 15 else 30)


@pytest.mark.parametrize(
    ("low", "high", "rows", "limits", "ticks"),
    [
        (9.5, 37.0, 28, (9.5, 37.0), [10, 15, 20, 25, 30, 35]),  # a step of 2 would be 1.96 rows
        (0, 4.9, 3, (0, 5), [0, 5]),
        (5200, 27500, 8, (5200, 27500), [10000, 20000]),  # 5000 apart is 1.6 rows: those between would be dropped
        (40, 76, 32, (40, 76), [40, 45, 50, 55, 60, 65, 70, 75]),  # at 4 or 5 rows: not 4 rows for nothing
        (7.0, 7.0000001, 1, (7.0, 7.0000001), [7.0]),
    ],
)
def test_a_scale(low, high, rows, limits, ticks):
    bottom, top, found = row_scale(low, high, rows)
    assert (bottom, top) == pytest.approx(limits, rel=1e-4)
    assert found == pytest.approx(ticks)
