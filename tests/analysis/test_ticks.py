"""Ticks: round numbers within the axis, in words that tell them apart."""

import itertools
import math
import random

import pytest

from agopconsole.analysis.ticks import (
    even_limits,
    log_ticks,
    round_ticks,
    row_ticks,
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


def test_the_rows_between_ticks_are_as_many_where_that_takes_little_room():
    draw = random.Random(0)
    evened = 0
    for _ in range(500):
        low, rows = draw.uniform(-50, 50), draw.randint(5, 40)
        high = low + 10 ** draw.uniform(-3, 3)
        bottom, top = even_limits(low, high, rows)
        assert bottom <= low < high <= top
        assert top - bottom < 1.2001 * (high - low)
        ticks = row_ticks(bottom, top, rows)
        assert len(ticks) >= 2
        if (bottom, top) != (low, high):
            evened += 1
            places = [(tick - bottom) / (top - bottom) * (rows - 1) for tick in ticks]
            assert all(abs(place - round(place)) < 1e-6 for place in places)
            assert len({round(after - before) for before, after in itertools.pairwise(places)}) == 1
    assert evened > 180


def test_ticks_are_far_enough_apart_to_look_evenly_spaced():
    assert row_ticks(9.5, 37.0, 28) == [10, 15, 20, 25, 30, 35]  # a step of 2 would be 1.96 rows
    assert row_ticks(0, 4.9, 3) == [0, 2, 4]
