"""Which fields of a recipe belong to a method, so that methods of different learning rates compare."""

import pytest
from helpers.stored_runs import add_done

from agopconsole.analysis.groups import group_runs
from agopconsole.analysis.report import build_report


def add(store, init, lr, *, study="s", accuracy=80.0, **fields):
    for seed in range(2):
        add_done(store, accuracy + seed, init=init, lr=lr, seed=seed, study=study, **fields)


def own(store):
    return {group.own for group in group_runs(store.runs())}


def test_methods_that_each_have_a_rate_of_their_own_are_compared_and_the_reader_is_told(store):
    add(store, "kaiming_normal", 0.1)
    add(store, "kaiming_nfm", 0.01, accuracy=90.0)
    assert own(store) == {("lr",)}
    report = build_report(store, study="s", baseline="kaiming_normal")
    rows = {row["init"]: row for row in report.row_dicts()}
    assert (rows["kaiming_nfm"]["delta"], rows["kaiming_nfm"]["twin_delta"]) == (10.0, 10.0)
    assert (rows["kaiming_nfm"]["lr"], rows["kaiming_normal"]["lr"]) == (0.01, 0.1)
    assert report.caveat == "each method is compared at a value of its own of lr"


def test_each_data_set_may_have_rates_of_its_own(store):
    for dataset, rates in (("digits", (0.1, 0.2)), ("mnist", (0.3, 0.1))):
        add(store, "normal", rates[0], dataset=dataset)
        add(store, "uniform", rates[1], dataset=dataset, momentum=0.5)
    assert own(store) == {("lr", "momentum")}


@pytest.mark.parametrize(
    "others",
    [
        [("normal", 0.2, {}), ("uniform", 0.1, {})],  # a grid, whole
        [("normal", 0.2, {})],  # one in part
        [("uniform", 0.2, {"study": "other"})],  # what stands in two studies was not tuned for one comparison
        [("uniform", 0.1, {})],  # all at one rate
        [("uniform", 0.2, {"epochs": 3})],  # another recipe
    ],
)
def test_otherwise_only_equal_recipes_are_compared(store, others):
    add(store, "normal", 0.1)
    for init, lr, fields in others:
        add(store, init, lr, **fields)
    assert own(store) == {()}


def test_runs_of_no_study_are_compared_under_one_recipe_alone(store):
    add(store, "normal", 0.1, study="")
    add(store, "uniform", 0.2, study="")
    assert own(store) == {()}
    assert build_report(store).caveat == ""
