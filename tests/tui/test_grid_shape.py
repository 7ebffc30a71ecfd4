"""How many charts there is room for."""

import pytest

from agopconsole.tui.grid_shape import fitting_shape, is_shape, next_shape, possible_shapes, usual_shape


@pytest.mark.parametrize(
    ("room", "shape"),
    [
        ((38, 20), (1, 1)),
        ((63, 20), (1, 1)),
        ((70, 26), (1, 2)),
        ((130, 36), (3, 2)),
        ((90, 18), (2, 1)),
        ((0, 0), (1, 1)),
    ],
)
def test_what_is_usual_goes_by_the_room(room, shape):
    assert usual_shape(*room) == fitting_shape("auto", *room) == shape


def test_a_wish_is_met_as_far_as_there_is_room():
    assert fitting_shape("3x2", 200, 50) == (3, 2)
    assert fitting_shape("3x2", 70, 26) == (2, 2)
    assert fitting_shape("3x2", 38, 12) == (1, 1)


def test_the_next_shape_goes_round():
    seen, name = [], "auto"
    for _ in range(5):
        name = next_shape(name, 70, 26)
        seen.append(name)
    assert seen == ["1x1", "1x2", "2x1", "2x2", "auto"]
    assert next_shape("3x2", 70, 26) == "auto"
    assert possible_shapes(10, 2) == [(1, 1)]


@pytest.mark.parametrize(
    ("text", "is_one"), [("auto", True), ("2x1", True), ("9x1", False), (None, False), ([], False)]
)
def test_names(text, is_one):
    assert is_shape(text) is is_one
