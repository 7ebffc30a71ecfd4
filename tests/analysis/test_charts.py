"""Charts: their size whatever comes in, and what they draw and say of numbers that cannot be drawn."""

import itertools
import math
import re

import pytest
from helpers.ansi import plain
from helpers.imports import loaded_by

from agopconsole.analysis.charts import Axes, Series, draw_chart, line_chart

nan, inf = math.nan, math.inf
BLUE = "#4a7fd4"
BRAILLE = re.compile("[\u2801-\u28ff]")


def chart(y, *, x=None, width=60, height=12, label="it", **options) -> list[str]:
    series = [Series(label, BLUE, range(1, len(y) + 1) if x is None else x, y)]
    lines = plain(line_chart(series, width=width, height=height, title="", **options))
    assert [len(line) for line in lines] == [width] * height
    return lines


def drawn(lines: list[str], column: int | None = None) -> str:
    """All braille dots of the chart, or those of one column."""
    return "".join(BRAILLE.findall("".join(line if column is None else line[column] for line in lines)))


NASTY = {
    "all equal": [10.0] * 20,
    "zero": [0.0, 0.0],
    "one point": [3.0],
    "alone between two gaps": [1.0, nan, 2.0, nan, 1.0, 1.5],
    "starts with a gap": [nan, 1.0, 2.0],
    "infinite": [1.0, inf, -inf, 2.0],
    "range of 1e9": [1.0, -1e9, 1e9],
    "largest floats": [1e308, -1e308, 1.0, nan],
    "smallest floats": [5e-324, 0.0, 1e-300],
    "almost equal": [1.0, 1.0 + 1e-16, 1.0],
    "many": [math.sin(i / 500) for i in range(100_000)],
    "one outlier": [math.sin(i) for i in range(200)] + [1e12],
}


@pytest.mark.parametrize("y", NASTY.values(), ids=NASTY)
@pytest.mark.parametrize(("width", "height"), [(28, 7), (60, 12), (200, 50), (20, 5), (1, 1)])
@pytest.mark.parametrize("zero_line", [False, True])
def test_a_chart_has_the_size_asked_for(y, width, height, zero_line):
    lines = chart(y, width=width, height=height, axes=Axes(zero_line=zero_line, notes=("underfit", "overfit")))
    if (width, height) == (60, 12):
        assert drawn(lines) or "●" in "".join(lines)


def test_a_rising_line_goes_from_the_lower_left_to_the_upper_right():
    lines = chart([float(i) for i in range(20)])
    left, right = (min(i for i, line in enumerate(lines[:9]) if drawn([line[a:b]])) for a, b in ((0, 10), (50, 60)))
    assert left > 6
    assert right == 0


def test_values_that_are_equal_make_a_level_line_labelled_with_their_value():
    lines = chart([10.0] * 20)
    rows = [line for line in lines if drawn([line])]
    assert len(rows) == 1
    assert "10.0" in rows[0]


def test_a_point_alone_between_two_gaps_is_drawn_as_a_disc():
    lines = chart([1.0, nan, 3.0, nan, 2.0, 2.0])
    assert "".join(lines).count("●") == 2
    assert drawn(lines)


def test_a_gap_breaks_the_line_and_is_marked_at_the_lower_edge():
    lines = chart([5.0] * 4 + [nan] + [5.0] * 4, x=range(9), width=66)
    row = next(line for line in lines if drawn([line]))
    assert re.search(r"[\u2801-\u28ff] {5,}[\u2801-\u28ff]", row)
    gap = re.search(r"[\u2801-\u28ff] {5,}[\u2801-\u28ff]", row)
    below = next(line for line in reversed(lines[:-1]) if "✗" in line)
    assert gap.start() < below.index("✗") < gap.end()
    assert "✗ not finite, epoch 4" in lines[-1]


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_a_line_that_ends_without_a_number_is_said_to_have_diverged(bad):
    lines = chart([1.0, bad, bad])
    assert "✗ diverged, epoch 2" in lines[-1]
    assert "".join(lines[:-1]).count("✗") == 2


def test_runs_lost_at_one_epoch_stand_one_above_the_other():
    series = [Series(name, BLUE, [1, 2, 3], [1.0, 2.0, nan]) for name in "abc"]
    lines = plain(line_chart(series, width=60, height=14, title=""))
    columns = [line.index("✗") for line in lines[:11] if "✗" in line]
    assert len(columns) == 3
    assert len(set(columns)) == 1


@pytest.mark.parametrize("y", [[], [nan], [nan, nan]])
@pytest.mark.parametrize(("width", "height"), [(60, 12), (28, 7), (20, 3)])
def test_without_any_number_the_chart_says_so(y, width, height):
    text = "".join(chart(y, width=width, height=height))
    assert ("no numbers yet" if not y else "it ✗ diverged, epoc") in text


def test_no_series_at_all():
    lines = plain(line_chart([], width=40, height=6, title="accuracy"))
    assert lines[0].startswith("accuracy")
    assert "no numbers yet" in "".join(lines)


def test_an_outlier_is_clipped_and_marked_and_does_not_flatten_the_rest():
    lines = chart([math.sin(i / 10) for i in range(200)] + [1e12])
    assert "▲" in lines[0]
    assert "1e12" not in "".join(lines)
    assert sum(bool(drawn([line])) for line in lines) > 5


def test_a_spike_in_many_points_survives_thinning():
    y = [0.0] * 100_000
    y[31_234] = 0.5
    y[80_000] = -0.5
    lines = chart([*y, 1.0, -1.0], x=range(100_002), width=80)
    columns = [i for i in range(8, 70) if len(drawn(lines, i)) > 2]
    assert len(columns) >= 2


def test_bands_surround_their_line():
    series = [Series("it", BLUE, [1, 2, 3], [5.0, 5.0, 5.0], band=[2.0, 2.0, 2.0])]
    lines = plain(line_chart(series, width=60, height=14, title=""))
    shaded = [i for i, line in enumerate(lines) if "░" in line]
    line = next(i for i, line in enumerate(lines) if drawn([line]))
    assert min(shaded) < line < max(shaded)


@pytest.mark.parametrize(("height", "shaded"), [(10, False), (40, True)])
def test_a_band_that_is_narrower_than_a_row_leaves_no_shade_here_and_there(height, shaded):
    x = range(40)
    series = [Series("it", BLUE, x, [i / 40 for i in x], band=[0.05] * 40)]
    lines = plain(line_chart(series, width=60, height=height, title=""))
    assert ("░" in "".join(lines)) == shaded


def test_a_dotted_line_lies_below_a_whole_one_whichever_comes_first():
    whole, dotted = (
        Series(name, BLUE, [1, 2, 3], [1.0, 2.0, 3.0], dotted=name == "dotted") for name in ("it", "dotted")
    )
    for series in ([whole, dotted], [dotted, whole]):
        lines = plain(line_chart(series, width=60, height=10, title=""))
        assert drawn(lines)
        assert "·" not in "".join(lines[:7])


def test_the_word_above_zero_goes_further_up_where_lines_take_its_place():
    level = [Series(str(y), BLUE, [1, 2, 3], [y] * 3) for y in (0.1, 0.9)]
    axes = Axes(zero_line=True, notes=("underfit", "overfit"))
    lines = plain(line_chart(level, axes, width=40, height=9, title=""))
    assert sum("overfit" in line for line in lines) == 1
    over, zero = (next(i for i, line in enumerate(lines) if word in line) for word in ("overfit", "────"))
    assert over < zero - 1


def test_zero_stays_in_view_between_the_words_below_and_above_it():
    lines = chart([0.5, 0.8, 0.9], axes=Axes(zero_line=True, notes=("underfit", "overfit")))
    over, under = (next(i for i, line in enumerate(lines) if word in line) for word in ("overfit", "underfit"))
    zero = next(i for i, line in enumerate(lines) if "────" in line)
    assert over < zero < under


def test_the_x_axis_counts_whole_epochs_and_names_them():
    ticks = chart([1.0, 2.0, 3.0])[-2]
    assert ticks.split() == ["1", "2", "epoch", "3"]


@pytest.mark.parametrize(
    ("epochs", "width", "ticks"),
    [
        (5, 38, "1 2 3 epoch,5"),  # 4 would stand as close to the word as 5
        (20, 38, "epoch,5 10 15 20"),
        (8, 38, "2 4 6 epoch,8"),
        (11, 38, "5 epoch,10"),
        (100, 60, "20 40 60 epoch,80 100"),
    ],
)
def test_the_name_of_the_x_axis_belongs_to_one_tick_alone(epochs, width, ticks):
    row = chart([float(i) for i in range(epochs)], width=width)[-2]
    assert re.sub(r"epoch (?=\d)", "epoch,", row).split() == ticks.split()
    assert not re.search(r"\d {1,2}epoch", row)


@pytest.mark.parametrize("height", [10, 14, 21, 32])
@pytest.mark.parametrize("top", [69.0, 61.3, 50.0, 43.1])
def test_the_ticks_of_y_are_evenly_spaced_or_at_most_a_row_off(top, height):
    lines = chart([40.0, 45.0, top], height=height)
    rows = [i for i, line in enumerate(lines[:-3]) if "┤" in line]
    gaps = {after - before for before, after in itertools.pairwise(rows)}
    assert len(rows) >= 2
    assert max(gaps) - min(gaps) <= 1


def test_a_single_epoch_is_labelled_as_such():
    assert chart([3.0])[-2].split() == ["1", "epoch"]


def test_colour_is_the_series_own_and_can_be_left_out():
    series = [Series("it", "#123456", [1, 2], [1.0, 2.0])]
    assert "38;2;18;52;86" in line_chart(series, width=40, height=10, title="t")
    assert "\x1b" not in line_chart(series, width=40, height=10, title="t", colour=False)


@pytest.mark.parametrize(("width", "height"), [(60, 14), (20, 5)])
@pytest.mark.parametrize("colour", [True, False])
def test_without_unicode_everything_is_ascii(colour, width, height):
    series = [Series("größe ±", BLUE, [1, 2, 3], [1.0, nan, 2.0], [0.5, 0.5, 0.5]), Series("b", BLUE, [1], [3.0])]
    text = line_chart(series, width=width, height=height, title="tïtle", colour=colour, unicode=False)
    assert text.isascii()
    assert {len(line) for line in plain(text)} == {width}


def test_without_colour_each_line_has_a_sign_of_its_own():
    series = [Series(name, BLUE, [1, 2], [i, i + 0.5]) for i, name in enumerate("abcd")]
    lines = plain(line_chart(series, width=60, height=14, title="", colour=False, unicode=False))
    signs = [re.search(rf"(\S) {name}", lines[-1])[1] for name in "abcd"]
    assert len(set(signs)) == 4
    assert all(sign in "".join(lines[:-3]) for sign in signs)


def test_a_note_in_the_legend_is_shortened_rather_than_cut():
    series = [
        Series("kaiming_nfm n=2, 2 at chance", BLUE, [1, 2], [10, 10], lost=[1.0]),
        Series("kaiming_uniform n=3", BLUE, [1, 2], [20, 30]),
    ]
    below = plain(line_chart(series, width=36, height=18, title=""))[-2:]
    assert [line.rstrip() for line in below] == ["■ kaiming_nfm n=2, 2 at chance ✗", "■ kaiming_uniform n=3"]


def test_the_entries_of_a_legend_change_places_rather_than_lose_letters():
    labels = ["nfm lsuv", "kaiming_normal lsuv centred", "agop centred", "pretrained", "kaiming_uniform"]
    series = [Series(label, BLUE, [1, 2], [i, i + 1]) for i, label in enumerate(labels)]
    below = plain(line_chart(series, width=38, height=14, title=""))[-3:]
    assert [line.rstrip() for line in below] == [
        "■ nfm lsuv  ■ pretrained",
        "■ kaiming_normal lsuv centred",
        "■ agop centred  ■ kaiming_uniform",
    ]


def test_a_legend_without_room_counts_what_it_leaves_out():
    series = [Series(f"method_{1000000 + i}", BLUE, [1, 2], [i, i]) for i in range(20)]
    lines = plain(line_chart(series, width=50, height=12, title=""))
    shown = len(re.findall("_100", "".join(lines)))
    assert f"+{20 - shown} more" in lines[-1]
    assert 8 <= shown < 20


def test_at_a_tiny_size_each_series_is_a_line_with_its_last_value():
    series = [Series("nfm", BLUE, range(20), [float(i) for i in range(20)]), Series("agop", BLUE, [1, 2], [3.0, nan])]
    lines = plain(line_chart(series, width=27, height=3, title="accuracy"))
    assert lines[0].split() == ["accuracy"]
    assert lines[1].startswith("■ 19 nfm ▁")
    assert lines[2].startswith("■ 3 agop ✗ diverged, epoch")


def test_a_label_can_neither_break_a_line_nor_send_escape_sequences():
    lines = plain(line_chart([Series("a\nb\x1b[31mc", BLUE, [1, 2], [1, 2])], width=40, height=8, title="x\ty"))
    assert [len(line) for line in lines] == [40] * 8
    assert "a b [31mc" in lines[-1]


def test_plotext_is_imported_at_the_first_chart_and_not_before():
    code = "from agopconsole.analysis.charts import Series, line_chart"
    assert "plotext" not in loaded_by(code)[0]
    draw = "line_chart([Series('a', '#ffffff', [1, 2], [1, 2])], width=40, height=9, title='')"
    assert "plotext" in loaded_by(f"{code}; {draw}")[0]


def picture(y, *, x=None, band=None, axes=None, window=None, width=60, height=14):
    series = [Series("it", BLUE, range(1, len(y) + 1) if x is None else x, y, band)]
    return draw_chart(series, axes or Axes(), width=width, height=height, window=window)


def test_the_canvas_knows_which_column_an_x_is_drawn_in():
    for width in (60, 61, 120):
        for spike in (3, 40, 77, 100):
            shown = picture([float(i == spike) for i in range(101)], x=range(101), width=width)
            canvas = shown.canvas
            top = plain(shown.lines[canvas.top])[0]
            (drawn_in, *_) = [i for i, c in enumerate(top) if BRAILLE.match(c)]
            assert abs(canvas.column(spike) - drawn_in) <= 1
            assert canvas.column(canvas.x(drawn_in)) == drawn_in
        assert (canvas.column(0), canvas.column(100)) == (canvas.left, width - 1)
        assert canvas.column(101) is None
        assert canvas.x(0) == 0
        assert "│┤└".find(plain(shown.lines[1])[0][canvas.left - 1]) >= 0


def test_the_cursor_reads_every_line_in_place_of_the_legend():
    series = [
        Series("nfm n=3", BLUE, [1, 2, 3], [10.0, 20.0, 30.0], band=[0.5, 0.5, 0.5]),
        Series("agop n=3", BLUE, [1, 2], [1.0, nan]),
    ]
    shown = draw_chart(series, Axes(), width=60, height=14)
    wide = draw_chart([Series("it", BLUE, [1, 2], [277.6, 280.0], band=[110.2, 99.4])], Axes(), width=60, height=14)
    assert [plain(wide.read(x)[0])[0].split()[3] for x in (1, 2)] == ["277.6±110", "280±99"]
    below = plain("\n".join(shown.read(2)))
    assert below[0].split() == ["epoch", "2", "■", "20±0.5", "nfm", "n=3", "■", "✗", "agop", "n=3"]
    assert [len(line) for line in below] == [60] * (14 - 2 - shown.canvas.rows)
    assert "■ -" in "".join(plain("\n".join(shown.read(3))))
    large = draw_chart([Series("it", BLUE, [1, 2, 3], [9876.5, 12345.6, 2.5e8])], Axes(), width=60, height=14)
    assert [plain(large.read(x)[0])[0].split()[3] for x in (1, 2, 3)] == ["9876", "12346", "2.5e+08"]


def test_with_little_room_the_cursor_shortens_the_labels_first_and_leaves_the_values():
    series = [Series(f"method_number_{i} n=3, 1 at chance", BLUE, [1, 2], [i, i + 10.25]) for i in range(6)]
    below = "".join(plain("\n".join(draw_chart(series, Axes(), width=50, height=12).read(2))))
    assert all(f"{i + 10.25:.4g}" in below for i in range(6))


def test_a_log_axis_says_what_it_cannot_show():
    lines = plain("\n".join(picture([0.0, 0.001, 1.0, -1.0], axes=Axes(log=True, zero_line=True)).lines))
    assert "2 ≤ 0 not shown" in lines[-1]
    assert "──" not in "".join(lines[:-3]), "a log axis has no zero line"
    assert {"1", "0.1", "0.01"} <= {line.split("┤")[0].strip() for line in lines}


def test_with_nothing_above_zero_a_log_axis_says_so():
    assert "nothing above 0" in "".join(picture([0.0, -1.0], axes=Axes(log=True)).lines)


def test_a_stretch_without_numbers_is_not_a_run_without_numbers():
    assert "nothing in this stretch" in "".join(picture([1.0, 2.0], window=(10, 20)).lines)


def test_a_stretch_shows_its_own_x_and_y():
    lines = plain("\n".join(picture([float(i) for i in range(101)], x=range(101), window=(40.0, 50.0)).lines))
    assert [word for word in lines[-2].split() if word != "epoch"] == ["40", "42", "44", "46", "48", "50"]
    assert "90" not in "".join(lines)


def test_a_time_axis_reads_like_a_clock():
    shown = picture([1.0, 2.0, 3.0], x=[0, 1800, 3600], axes=Axes(time=True))
    assert plain(shown.lines[-2])[0].split() == ["0s", "10:00", "20:00", "30:00", "40:00", "50:00", "1h"]
    assert "30:00" in plain(shown.read(1800)[0])[0]


def test_the_lesser_of_two_lines_is_dotted_and_read_but_not_in_the_legend():
    series = [Series("it", BLUE, [1, 2], [1.0, 2.0]), Series("it train", BLUE, [1, 2], [2.0, 1.0], dotted=True)]
    shown = draw_chart(series, Axes(), width=60, height=14)
    lines = plain("\n".join(shown.lines))
    assert lines[-1].strip() == "■ it"
    assert "".join(lines[:-3]).count("·") > 20
    assert drawn(lines[:-3])
    assert plain(shown.read(2)[0])[0].split() == ["epoch", "2", "■", "2", "it", "·", "1", "it", "train"]


def test_a_chart_without_a_legend_has_more_rows_and_still_says_what_it_cannot_show():
    series = [Series("it", BLUE, [1, 2, 3], [1.0, 2.0, 3.0]), Series("other", BLUE, [1, 2, 3], [0.0, 20.0, 3.0])]
    rows = {}
    for log in (False, True):
        for named in (True, False):
            picture = draw_chart(series, Axes(log=log), width=60, height=12, named=named, colour=False)
            rows[log, named] = picture.canvas.rows
            text = "\n".join(picture.lines)
            assert ("1 ≤ 0 not shown" in text) == log
            assert (" it" in text) == named
    assert rows == {(False, True): 9, (False, False): 10, (True, True): 9, (True, False): 9}
