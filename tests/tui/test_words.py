"""The words for numbers and times."""

import math

import pytest

from agopconsole.tui.words import accuracy, compact, duration, moment, signed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (0.82, "0.82"),
        (0.0234, "0.023"),
        (0.0032, "3e-03"),
        (1.0, "1.0"),
        (9.96, "10"),
        (31.4, "31"),
        (999.4, "999"),
        (999.9, "1.0k"),
        (1610.0, "1.6k"),
        (16_000.0, "16k"),
        (540_000.0, "540k"),
        (5.1e6, "5.1M"),
        (2e20, "2e+20"),
        (-1610.0, "-1.6k"),
        (math.nan, "✗"),
        (math.inf, "✗"),
    ],
)
def test_compact(value, text):
    assert compact(value) == text


@pytest.mark.parametrize("exponent", range(-30, 31))
def test_compact_never_takes_more_than_five_characters(exponent):
    assert all(len(compact(factor * 10.0**exponent)) <= 5 for factor in (1, 1.2345, 5, 9.4, 9.9999))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (29, "29 s"),
        (31, "1 min"),
        (3540, "59 min"),
        (3600, "1 h 00"),
        (7860, "2 h 11"),
        (200_000, "2 days"),
    ],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_what_has_no_value_is_a_dash():
    assert [accuracy(None), accuracy(math.nan), signed(None), signed(math.nan), moment(None)] == ["-"] * 5


def test_differences_keep_their_sign_and_their_width():
    assert [signed(0.214), signed(-0.05), signed(12345.0)] == ["+0.21", "-0.05", "+1e+04"]


def test_a_moment_is_short():
    assert moment("2026-11-25T02:44:57.182Z") == "11-25 02:44:57"
