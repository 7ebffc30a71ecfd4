"""How the runs of a method start, in two numbers."""

import math

import pytest
from helpers.reports import row_of
from helpers.stored_runs import add_done, add_seeds, make_start

from agopconsole.analysis.report import build_report
from agopconsole.analysis.report_text import render_report
from agopconsole.analysis.starts import say_mean_square


def test_the_worst_layer_is_the_furthest_from_2_and_the_head_plays_no_part(store):
    for seed, outputs in enumerate([(3.0, 50.0), (200.0, 2.0)]):
        add_done(
            store, 50.0, init="normal", seed=seed, start=make_start(outputs=outputs, participation_ratio=4.0 + seed)
        )
    add_done(store, 50.0, init="normal", seed=2)
    add_done(store, 50.0, init="uniform", start=make_start(outputs=(10.0, 0.001)))
    normal, uniform = row_of(store, "normal"), row_of(store, "uniform")
    assert normal["start_runs"] == 2
    assert normal["start_output_mean_square"] == pytest.approx(100.0)  # the geometric mean of 50 and 200
    assert normal["start_participation_ratio"] == 4.5
    assert uniform["start_output_mean_square"] == pytest.approx(0.001)


def test_a_start_that_is_not_finite_is_infinite_and_one_of_nothing_is_none(store):
    add_done(store, 50.0, init="normal", seed=0, start=make_start(outputs=(2.0, math.nan)))
    add_done(store, 50.0, init="normal", seed=1, start=make_start(outputs=(2.0, 4.0)))
    add_done(store, 50.0, init="uniform", start=make_start(outputs=(0.0, 2.0)))
    add_done(store, 50.0, init="orthogonal")
    assert row_of(store, "normal")["start_output_mean_square"] == math.inf
    assert row_of(store, "uniform")["start_output_mean_square"] == pytest.approx(0.0)
    assert row_of(store, "orthogonal")["start_runs"] == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (math.inf, "infinity"), (0.00325, "0.00325"), (27_799_042.0, "27,800,000"), (2e30, "2e+30")],
)
def test_a_mean_square_reads_well_whatever_its_size(value, text):
    assert say_mean_square(value) == text


def test_the_second_table_tells_the_start_beside_what_came_of_it(store):
    add_seeds(store, "kaiming_normal", [60.0, 61.0, 62.0], start=make_start())
    add_seeds(
        store, "kaiming_nfm", [63.0, 64.1, 64.9], start=make_start(outputs=(5.0, 15000.0), participation_ratio=1.0)
    )
    report = build_report(store)
    lines = render_report(report, "markdown", why=True).splitlines()
    assert "| method | outputs | participation ratio | mean | Δ twin |" in lines
    assert any(line.startswith("| kaiming_nfm | 15,000 | 1.0 | 64.00 ± ") for line in lines)
    assert any(line.startswith("outputs: mean square at the start") for line in lines)
    assert "participation ratio |" not in render_report(report, "markdown")
