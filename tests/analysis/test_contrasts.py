"""A method beside the baseline, its twin and its spectrum in random directions."""

import statistics

import pytest
from helpers.reports import row_of, rows_of
from helpers.stored_runs import add_done, add_seeds

from agopconsole.analysis.report import build_report
from agopconsole.analysis.student_t import critical_value


def test_differences_are_paired_by_seed_and_a_missing_seed_leaves_its_pair_out(store):
    add_seeds(store, "kaiming_uniform", [50.0, 60.0, 70.0])
    add_done(store, 52.0, init="normal", seed=0)
    add_done(store, 73.0, init="normal", seed=2)
    row = row_of(store, "normal")
    assert (row["n"], row["pairs"], row["delta"], row["p_value"]) == (2, 2, 2.5, 0.5)
    assert row["delta_ci95"] == pytest.approx(critical_value(1) * statistics.stdev([2, 3]) / 2**0.5)
    assert row["verdict"] == "no difference to kaiming_uniform shown at n = 2"


def test_the_baseline_has_no_difference_to_itself(store):
    add_seeds(store, "kaiming_uniform", [50.0, 60.0])
    row = row_of(store, "kaiming_uniform")
    assert (row["delta"], row["delta_ci95"], row["p_value"], row["verdict"]) == (None,) * 4


def test_a_baseline_with_several_sources_is_the_one_with_the_row_s_own(store):
    for source, base, other in (("a.pt", 50.0, 51.0), ("b.pt", 60.0, 63.0)):
        add_seeds(store, "nfm", [base, base], source=source)
        add_seeds(store, "kaiming_nfm", [other, other], source=source)
    add_seeds(store, "normal", [1.0, 2.0])
    rows = rows_of(store, baseline="nfm")
    assert {row["source"]: row["delta"] for row in rows if row["init"] == "kaiming_nfm"} == {"a.pt": 1.0, "b.pt": 3.0}
    assert [row["delta"] for row in rows if row["init"] == "normal"] == [None]


def test_a_baseline_that_is_not_one_row_is_none(store):
    for fallback in ("default", "kaiming_normal"):
        add_seeds(store, "nfm", [50.0, 51.0], fallback=fallback)
    add_seeds(store, "kaiming_nfm", [60.0, 61.0])
    assert row_of(store, "kaiming_nfm", baseline="nfm")["delta"] is None


def test_a_feature_method_stands_beside_its_twin(store):
    add_seeds(store, "kaiming_uniform", [50.0, 51.0, 52.0])
    add_seeds(store, "kaiming_normal", [60.0, 61.0, 62.0])
    add_seeds(store, "kaiming_nfm", [63.0, 64.1, 64.9])
    add_seeds(store, "nfm", [40.0, 41.0, 42.0])
    row = row_of(store, "kaiming_nfm")
    assert (row["twin"], row["twin_pairs"], row["twin_p_value"]) == ("kaiming_normal", 3, 0.25)
    assert row["twin_delta"] == pytest.approx(3.0)
    assert row["twin_verdict"] == "higher than kaiming_normal at n = 3"
    assert row_of(store, "nfm")["twin_delta"] is None  # lecun_normal was not run
    assert row_of(store, "kaiming_normal")["twin"] is None


def test_p_values_are_adjusted_over_the_table_and_the_effect_is_in_deviations(store):
    add_seeds(store, "kaiming_uniform", [50.0, 51.0, 52.0])
    add_seeds(store, "normal", [51.0, 53.0, 55.0])
    add_seeds(store, "uniform", [51.0, 50.0, 53.0])
    normal, uniform = row_of(store, "normal"), row_of(store, "uniform")
    assert (normal["p_value"], normal["p_holm"], normal["effect_size"]) == (0.25, 0.5, 2.0)
    assert (uniform["p_value"], uniform["p_holm"]) == (1.0, 1.0)


def test_a_feature_method_stands_beside_its_spectrum_in_random_directions(store):
    add_seeds(store, "kaiming_nfm", [63.0, 64.0, 65.0])
    add_seeds(store, "kaiming_nfm", [60.0, 61.1, 61.9], basis="rotated")
    add_seeds(store, "kaiming_nfm", [70.0, 71.0, 72.0], basis="centred")
    add_seeds(store, "kaiming_nfm", [66.0, 67.1, 67.9], basis="centred_rotated")
    add_seeds(store, "kaiming_nfm", [61.0, 62.1, 62.9], basis="aligned")
    whole, rotated, centred, turned, aligned = rows_of(store)
    assert whole["rotated"] == aligned["rotated"] == rotated["init"] == "kaiming_nfm basis=rotated"
    assert centred["rotated"] == turned["init"] == "kaiming_nfm basis=centred_rotated"
    assert (whole["rotated_pairs"], whole["rotated_delta"]) == (3, pytest.approx(3.0))
    assert (centred["rotated_pairs"], centred["rotated_delta"]) == (3, pytest.approx(4.0))
    assert aligned["rotated_delta"] == pytest.approx(1.0)
    assert rotated["rotated"] is turned["rotated"] is None


def test_a_difference_holds_if_its_t_test_does_after_holm_s_correction(store):
    add_seeds(store, "kaiming_uniform", [50.0, 51.0, 52.0])
    add_seeds(store, "normal", [60.0, 61.1, 61.9])
    add_seeds(store, "uniform", [52.0, 52.0, 54.0])
    add_seeds(store, "xavier_normal", [50.0, 52.0, 51.0])
    base, far, near, level = (row.baseline for row in build_report(store).rows)
    assert [contrast.sign for contrast in (base, far, near, level)] == [None, 1, 1, 0]
    assert near.t_p_holm == pytest.approx(2 * near.difference.t_p_value)
    assert [contrast.holds for contrast in (base, far, near, level)] == [False, True, False, False]
    assert {contrast.family for contrast in (base, far, near, level)} == {3}
