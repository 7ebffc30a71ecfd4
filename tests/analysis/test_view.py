"""How charts are looked at: every zoom and pan stays within what there is, and comes back."""

import pytest

from agopconsole.analysis.view import ChartView

ALL = (0.0, 100.0)


def test_x_goes_round_and_forgets_the_stretch_and_the_cursor():
    view = ChartView(window=(1, 2), cursor=1.5)
    seen = [view := view.next_x() for _ in range(3)]
    assert [one.x for one in seen] == ["step", "time", "epoch"]
    assert seen[0].window is None
    assert seen[0].cursor is None


def test_smoothing_goes_round():
    view = ChartView()
    levels = [(view := view.next_level()).level for _ in range(4)]
    assert levels == [1, 2, 3, 0]
    assert view.smoothing == 0


def test_each_plot_has_a_scale_of_its_own():
    view = ChartView().with_log("losses")
    assert view.log == {"losses"}
    assert view.with_log("losses").log == frozenset()


def test_coming_closer_keeps_the_middle_or_the_cursor_where_it_is():
    assert ChartView().zoomed(0.5, ALL).window == (25, 75)
    assert ChartView(cursor=20.0).zoomed(0.5, ALL).window == (10, 60)
    assert ChartView(cursor=20.0).zoomed(0.5, ALL, at=80.0).window == (40, 90)


def test_coming_closer_and_going_back_shows_all_again():
    view = ChartView()
    for _ in range(5):
        view = view.zoomed(0.5, ALL)
    for _ in range(5):
        view = view.zoomed(2.0, ALL)
    assert view.window is None


def test_there_is_a_closest_look():
    view = ChartView()
    for _ in range(200):
        view = view.zoomed(0.5, ALL)
    assert view.window[1] - view.window[0] == pytest.approx(0.01)


def test_a_stretch_stops_at_the_ends():
    view = ChartView(window=(40, 60))
    for _ in range(10):
        view = view.panned(0.5, ALL)
    assert view.window == (80, 100)
    for _ in range(20):
        view = view.panned(-0.5, ALL)
    assert view.window == (0, 20)
    assert ChartView().panned(0.5, ALL).window is None


def test_a_stretch_follows_the_cursor():
    view = ChartView(window=(40, 60))
    assert view.reading(50).window == (40, 60)
    assert view.reading(65).window == (45, 65)
    assert view.reading(30).window == (30, 50)
    assert view.reading(None).window == (40, 60)


def test_nothing_of_a_length_is_left_alone():
    assert ChartView().zoomed(0.5, (3.0, 3.0)).window is None
    assert ChartView().panned(1.0, (3.0, 3.0)).window is None


def test_all_of_it_again():
    view = ChartView(x="time", level=2, window=(1, 2), cursor=1.0).whole()
    assert (view.x, view.level, view.window, view.cursor) == ("time", 2, None, None)
