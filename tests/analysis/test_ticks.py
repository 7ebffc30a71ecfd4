"""Ticks: round numbers within the axis, in words that tell them apart."""

import pytest

from agopconsole.analysis.ticks import round_ticks, tick_labels


@pytest.mark.parametrize(
    ("low", "high", "count", "labels"),
    [
        (0, 100, 5, ["0", "20", "40", "60", "80", "100"]),
        (7.3, 93.1, 4, ["20", "40", "60", "80"]),
        (-0.4, 0.7, 4, ["-0.4", "-0.2", "0.0", "0.2", "0.4", "0.6"]),
        (9.5, 10.5, 2, ["9.5", "10.0", "10.5"]),
        (0, 1e9, 4, ["0", "2e8", "4e8", "6e8", "8e8", "1e9"]),
        (0, 1e-5, 2, ["0", "5e-6", "1e-5"]),
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
