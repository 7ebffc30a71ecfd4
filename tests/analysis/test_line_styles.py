"""Dashes and markers that tell curves apart where colours do not."""

from itertools import pairwise

from agopconsole.analysis.line_styles import line_styles


def test_no_two_of_35_are_alike_and_neighbours_share_nothing():
    styles = list(line_styles(map(str, range(35))).values())
    assert len({(style.dashes, style.marker) for style in styles}) == 35
    for one, next_one in pairwise(styles):
        assert one.dashes != next_one.dashes
        assert one.marker != next_one.marker


def test_a_name_keeps_its_style_and_the_first_is_solid():
    styles = line_styles(["a", "b", "a", "c"])
    assert list(styles) == ["a", "b", "c"]
    assert styles["a"].dashes == ()
    assert styles == line_styles(["a", "b", "c"])
