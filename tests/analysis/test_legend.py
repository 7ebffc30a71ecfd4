"""Legends: which words they keep, and how many lines they take, with much room and with little."""

import re

import pytest
from helpers.ansi import plain

from agopconsole.analysis.charts import Axes, Series, draw_chart
from agopconsole.analysis.legend import shared_legend
from agopconsole.analysis.short_names import short_names

BLUE = "#4a7fd4"


def legend_of(labels, width, height, lost):
    """The legend in words: what stands below the axis."""
    series = [Series(label, BLUE, [1, 2, 3], [1.0, 2.0, 3.0], lost=lost.get(label, [])) for label in labels]
    shown = draw_chart(series, Axes(), width=width, height=height)
    return plain("\n".join(shown.lines))[shown.canvas.top + shown.canvas.rows + 2 :]


def test_a_legend_with_little_room_has_shorter_notes_then_fewer_words_then_more_lines():
    labels = [f"{c}_method n=3" for c in "abcdef"]
    whole, wide, terse = (legend_of(labels, w, 15, {"f_method n=3": [2, 3]}) for w in (70, 44, 30))
    low = legend_of([*labels, "g_method n=3", "h_method n=3"], 30, 15, {})
    assert "f_method n=3 ✗ 2 diverged, first in epoch 2 " in whole[0]
    assert "f_method n=3 ✗ 2 diverged " in wide[0]
    assert "f_method ✗ " in terse[0]
    assert "n=3" not in terse[0]
    assert (len(terse), len(low)) == (3, 4)
    for below in (whole, wide, terse, low):
        assert "more" not in " ".join(below)
        assert all(f"{c}_method" in " ".join(below) for c in "abcdef")


STUDY = [
    *("kaiming_uniform n=5", "kaiming_normal n=3", "xavier_normal n=3", "normal n=3", "lecun_normal n=3"),
    *("nfm n=3, 3 at chance", "agop n=3, 1 at chance", "pretrained n=3", "kaiming_nfm scale=poster n=0"),
    *("kaiming_nfm n=1, 1 at chance", "kaiming_agop n=1, 1 at chance", "kaiming_nfm basis=rotated n=3"),
    *("nfm scale=lsuv basis=centred n=5", "kaiming_normal scale=lsuv basis=centred n=5"),
]


LOST = ("kaiming_nfm n=1, 1 at chance", "kaiming_agop n=1, 1 at chance", "kaiming_nfm scale=poster n=0")


@pytest.mark.parametrize(("width", "height"), [(41, 15), (41, 14), (66, 12), (36, 19)])
def test_the_fourteen_methods_of_a_study_are_all_in_the_legend_of_a_small_panel(width, height):
    below = legend_of(STUDY, width, height, {label: [1] for label in LOST})
    entries = [entry for line in below for entry in re.findall(r"■ (\S[^■]*?) *(?=■|$)", line)]
    assert len({entry.removesuffix(" ✗") for entry in entries}) == len(STUDY)
    assert len(below) <= height * 2 // 5


def test_names_get_shorter_as_long_as_they_tell_the_lines_apart():
    named, cut = short_names(STUDY)
    assert named[0] == STUDY
    assert all(len(set(names)) == len(STUDY) for names in (*named, *cut))
    assert [names[-1] for names in named] == [
        *["kaiming_normal scale=lsuv basis=centred n=5"] * 2,
        *("kaiming_normal scale=lsuv basis=centred", "kaiming_normal lsuv centred"),
    ]
    assert [names[-1] for names in cut] == [
        *("kaimin_normal lsuv centre", "kaimi_norma lsuv centr", "kaim_norm lsuv cent", "kai_nor lsu cen"),
    ]
    assert [names[5] for names in named] == ["nfm n=3, 3 at chance", "nfm n=3", "nfm", "nfm"]
    assert [names[7] for names in cut] == ["pretrained", "pretrained", "pretraine", "pretrai"]


def test_names_that_would_be_alike_stay_whole_and_numbers_are_never_cut():
    assert short_names(["normalise n=3", "normalise n=5"]) == ([["normalise n=3", "normalise n=5"]] * 2, [])
    assert ["kai 0.0125", "kai 0.0126"] in short_names(["kaiming lr=0.0125 n=3", "kaiming lr=0.0126 n=3"])[1]
    assert short_names(["#64 kaiming_uniform s0", "#65 kaiming_uniform s0"])[1][-1] == ["#64", "#65"]


def test_a_shared_legend_names_every_line_whole_where_it_can_and_takes_few_lines():
    labels = [f"{init} scale=lsuv basis={basis} n=3" for init in ("nfm", "agop") for basis in ("source", "centred")]
    series = [Series(label, BLUE, [], [], lost=[2.0] if "agop" in label else ()) for label in labels]
    whole = plain("\n".join(shared_legend(series, Axes(), width=130, height=34)))
    assert len(whole) == 2
    assert all(f"■ {label}" in " ".join(whole) for label in labels)
    assert whole[0].startswith("■ agop scale=lsuv basis=source n=3 ✗ diverged, epoch 2")
    short = plain("\n".join(shared_legend(series * 4, Axes(), width=60, height=20)))
    assert len(short) == 4
    assert "more" in short[-1]
    assert {len(line) for line in short} == {60}
    assert shared_legend([], Axes(), width=60, height=20) == []
