"""Which runs are repeats of one another, and which are no rows of a report."""

import pytest
from helpers.reports import row_of, rows_of
from helpers.stored_runs import add_done, add_failed, add_seeds

from agopconsole.analysis.groups import group_runs, telling, varied_fields
from agopconsole.analysis.report import build_report
from agopconsole.spec import RunSpec


def test_a_retried_run_counts_once(store):
    add_failed(store, diverged=False, init="normal", seed=0)
    add_done(store, 50.0, init="normal", seed=0, study="")
    add_done(store, 52.0, init="normal", seed=0, device="cpu")
    row = row_of(store, "normal")
    assert (row["n"], row["mean"], row["failed"]) == (1, 52.0, 0)


@pytest.mark.parametrize(("field", "value"), [("lr", 0.1), ("epochs", 5), ("limit", 100), ("classes", "0-4")])
def test_runs_of_different_recipes_are_never_averaged_or_compared(store, field, value):
    add_seeds(store, "kaiming_uniform", [50.0, 52.0])
    add_seeds(store, "normal", [60.0, 61.0])
    add_seeds(store, "normal", [90.0, 92.0], **{field: value})
    report = build_report(store)
    assert report.varied == (field,)
    here, there = [row for row in report.row_dicts() if row["init"] == "normal"]
    assert (here["mean"], here["delta"]) == (60.5, 9.5)
    assert (there[field], there["mean"], there["delta"]) == (value, 91.0, None)


def test_data_sets_have_rows_of_their_own_and_differ_in_nothing_else(store):
    add_seeds(store, "normal", [50.0], dataset="mnist")
    add_seeds(store, "normal", [60.0], dataset="digits")
    report = build_report(store)
    assert [(row["dataset"], row["mean"]) for row in report.row_dicts()] == [("mnist", 50.0), ("digits", 60.0)]
    assert report.varied == ()


def test_a_source_tells_rows_apart_only_where_one_method_has_two(store):
    add_seeds(store, "kaiming_uniform", [50.0, 51.0])
    add_seeds(store, "nfm", [60.0, 62.0], source="imagenet")
    assert build_report(store).varied == ()
    add_seeds(store, "nfm", [70.0, 73.0], source="mine.pt")
    report = build_report(store)
    assert report.varied == ("source",)
    found = {row["source"]: row["delta"] for row in report.row_dicts()}
    assert found == {None: None, "imagenet": 10.5, "mine.pt": 21.0}


def test_runs_that_only_train_a_source_are_no_rows(store):
    specs = [
        RunSpec.parse({"init": "nfm", "source": "dataset:digits:0-4", "seed": seed, "study": "s"}) for seed in (0, 1)
    ]
    store.add_runs(specs)
    assert len(store.runs()) == 3
    assert [(row["init"], row["unfinished"]) for row in rows_of(store)] == [("nfm", 2)]


def test_a_run_of_the_user_s_own_may_be_named_after_its_source(store):
    add_done(store, 80.0, init="nfm", name="source ablation")
    assert [row["init"] for row in rows_of(store)] == ["nfm"]


def test_a_run_that_another_starts_from_by_its_id_is_a_row_all_the_same(store):
    first = add_done(store, 80.0, init="kaiming_normal", seed=0)
    add_done(store, 85.0, init="nfm", source=f"run:{first}", seed=0)
    assert [row["init"] for row in rows_of(store)] == ["kaiming_normal", "nfm"]


def test_what_is_still_to_come_is_counted_and_what_was_cancelled_is_not(store):
    add_seeds(store, "normal", [50.0])
    _, cancelled = store.add_runs([RunSpec.parse({"init": "normal", "seed": seed}) for seed in (1, 2)])
    store.request_cancel(cancelled)
    row = row_of(store, "normal")
    assert (row["n"], row["unfinished"], row["failed"]) == (1, 1, 0)


def test_a_source_tells_nothing_of_a_method_that_has_none(store):
    add_done(store, 50.0, init="kaiming_normal")
    for source in ("one.pt", "other.pt"):
        add_done(store, 50.0, init="nfm", source=source)
    groups = group_runs(store.runs())
    varied = varied_fields(groups)
    assert varied == ["source"]
    assert {(group.method, *telling(group, groups, varied)) for group in groups} == {
        ("kaiming_normal",),
        ("nfm", "source"),
    }
