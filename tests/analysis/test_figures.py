"""A report as a figure: what stands in it, in which colours, and what is refused."""

import importlib.util
import re

import pytest
from helpers.stored_runs import OWNER, add_done, add_failed, add_seeds, make_epoch

from agopconsole.analysis.colours import method_colour
from agopconsole.analysis.figures import MOST_TABLES, save_figure
from agopconsole.analysis.line_styles import line_styles
from agopconsole.analysis.report import build_report
from agopconsole.errors import RequestError
from agopconsole.methods import METHODS
from agopconsole.spec import RunSpec

BEGINNINGS = {".png": b"\x89PNG", ".pdf": b"%PDF"}


@pytest.fixture
def report(store):
    """A baseline, a feature method beside its twin, and a method that diverged."""
    add_seeds(store, "kaiming_uniform", [50.0, 51.0, 52.5])
    add_seeds(store, "kaiming_normal", [50.4, 50.8, 52.7])
    add_seeds(store, "kaiming_nfm", [55.0, 56.1, 57.4])
    add_failed(store, diverged=True, init="agop", seed=0)
    return build_report(store)


def test_a_figure_names_what_it_shows_in_the_colours_of_the_console(store, report, tmp_path):
    save_figure(store, report, tmp_path / "one.svg")
    save_figure(store, report, tmp_path / "two.svg")
    text = (tmp_path / "one.svg").read_text(encoding="utf-8")
    for words in ("kaiming_nfm n=3", "epoch", "to kaiming_uniform", "1 diverged", "difference in best val accuracy"):
        assert words in text
    for method in ("kaiming_uniform", "kaiming_normal", "kaiming_nfm"):
        assert text.count(method_colour(method)) > 2
    assert text == (tmp_path / "two.svg").read_text(encoding="utf-8")


def test_each_curve_is_drawn_as_beside_its_name_and_no_legend_lies_over_them(store, tmp_path):
    methods = [name for name in METHODS if name not in ("mimetic", "default")]
    for place, init in enumerate(methods):
        for seed in range(2):
            add_done(store, 50.0 + place, init=init, seed=seed)
    save_figure(store, build_report(store), tmp_path / "figure.svg")
    text = (tmp_path / "figure.svg").read_text(encoding="utf-8")
    assert "legend" not in text
    styles = line_styles(methods)
    assert len({(style.dashes, style.marker) for style in styles.values()}) == len(methods) > 14
    drawn = re.findall(r"style=\"fill: none;( stroke-dasharray: [^;]*;)?[^\"]*stroke: (#[0-9a-f]{6})", text)
    for name in methods:
        dashed = [bool(dashes) for dashes, colour in drawn if colour == method_colour(name)]
        assert dashed.count(bool(styles[name].dashes)) >= 2, name  # the curve and its piece


def test_a_name_with_dollars_is_no_formula(store, tmp_path):
    for dataset in (r"imagefolder:/a$\frac{$b", "digits"):
        add_done(store, 50.0, dataset=dataset)
    save_figure(store, build_report(store), tmp_path / "figure.svg")
    assert r"imagefolder:/a$\frac{$b" in (tmp_path / "figure.svg").read_text(encoding="utf-8")


def test_a_long_curve_has_few_marks_and_those_of_others_stand_elsewhere(store, tmp_path):
    for init in ("kaiming_uniform", "normal"):
        [run_id] = store.add_runs([RunSpec.parse({"init": init, "epochs": 200})])
        store.claim(OWNER, only=[run_id])
        for epoch in range(1, 201):
            store.record_epoch(run_id, make_epoch(epoch))
        store.finish(run_id, "done")
    save_figure(store, build_report(store), tmp_path / "figure.svg")
    text = (tmp_path / "figure.svg").read_text(encoding="utf-8")
    marks = {
        init: re.findall(rf'<use xlink:href="#\w+" x="([\d.]+)" y="[\d.]+" style="fill: {method_colour(init)}', text)
        for init in ("kaiming_uniform", "normal")
    }
    assert all(10 <= len(found) <= 13 for found in marks.values())
    assert set(marks["kaiming_uniform"][:9]).isdisjoint(marks["normal"][:9])


@pytest.mark.parametrize("end", BEGINNINGS)
def test_the_end_of_the_name_says_the_format(store, report, tmp_path, end):
    save_figure(store, report, tmp_path / f"figure{end}")
    assert (tmp_path / f"figure{end}").read_bytes().startswith(BEGINNINGS[end])


def test_another_end_is_refused(store, report, tmp_path):
    with pytest.raises(RequestError, match=r"figure.jpg: the name of a figure ends in one of .png, .svg, .pdf"):
        save_figure(store, report, tmp_path / "figure.jpg")


def test_without_matplotlib_one_line_says_what_is_missing(store, report, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RequestError, match="a figure needs matplotlib; install it"):
        save_figure(store, report, tmp_path / "figure.png")


def test_nothing_and_too_much_are_refused(store, tmp_path):
    with pytest.raises(RequestError, match="nothing to draw"):
        save_figure(store, build_report(store), tmp_path / "figure.png")
    for epochs in range(1, MOST_TABLES + 2):
        add_done(store, 50.0, epochs=epochs)
    with pytest.raises(RequestError, match=f"a figure of {MOST_TABLES + 1} tables cannot be read"):
        save_figure(store, build_report(store), tmp_path / "figure.png")
    assert not (tmp_path / "figure.png").exists()
