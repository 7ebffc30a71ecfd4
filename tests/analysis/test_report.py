"""The rows of a report: means over seeds, and what is counted beside them."""

import statistics

import pytest
from helpers.reports import row_of, rows_of
from helpers.stored_runs import add_done, add_failed, add_seeds

from agopconsole.analysis.report import build_report
from agopconsole.analysis.report_text import render_report
from agopconsole.analysis.student_t import critical_value
from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec
from agopconsole.study import parse_study

KEYS = {"dataset", "init", "n", "mean", "std", "ci95", "delta", "delta_ci95", "p_value", "reference"}


def test_a_row_has_mean_deviation_and_interval_over_seeds(store):
    add_seeds(store, "kaiming_uniform", [70.0, 72.0, 77.0])
    row = row_of(store, "kaiming_uniform")
    spread = statistics.stdev([70, 72, 77])
    assert set(row) >= KEYS
    assert (row["dataset"], row["model"], row["n"], row["mean"]) == ("digits", "vgg11", 3, 73.0)
    assert row["std"] == pytest.approx(spread)
    assert row["ci95"] == pytest.approx(critical_value(2) * spread / 3**0.5)


def test_one_seed_has_no_interval(store):
    add_seeds(store, "kaiming_uniform", [70.0])
    row = row_of(store, "kaiming_uniform")
    assert (row["n"], row["mean"], row["std"], row["ci95"]) == (1, 70.0, None, None)


def test_the_baseline_is_kaiming_uniform_else_the_first_method_else_the_one_asked_for(store):
    add_seeds(store, "normal", [50.0, 60.0])
    add_seeds(store, "uniform", [51.0, 62.0])
    assert build_report(store).baseline == "normal"
    assert build_report(store, baseline="uniform").baseline == "uniform"
    add_seeds(store, "kaiming_uniform", [51.0, 62.0])
    assert build_report(store).baseline == "kaiming_uniform"


def test_the_baseline_of_a_study_is_that_of_its_file_where_one_is_at_hand(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for init in ("kaiming_uniform", "lecun_normal"):
        add_seeds(store, init, [50.0, 60.0], study="mine")
    (tmp_path / "mine.toml").write_text('inits = ["lecun_normal"]\nbaseline = "lecun_normal"\n')
    assert build_report(store, study="mine").baseline == "lecun_normal"
    assert build_report(store, study="mine", baseline="kaiming_uniform").baseline == "kaiming_uniform"
    (tmp_path / "mine.toml").write_text('inits = ["normal"]\nbaseline = "normal"\n')
    assert build_report(store, study="mine").baseline == "kaiming_uniform"


def test_the_baseline_of_a_study_that_the_store_knows_needs_no_file(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for init in ("kaiming_uniform", "lecun_normal", "normal"):
        add_seeds(store, init, [50.0, 60.0], study="mine")
    text = 'inits = ["normal", "lecun_normal"]\nbaseline = "lecun_normal"\n'
    store.record_study(parse_study(text, default_name="mine", origin="mine.toml"))
    assert build_report(store, study="mine").baseline == "lecun_normal"
    assert build_report(store, study="mine", baseline="normal").baseline == "normal"
    (tmp_path / "mine.toml").write_text('inits = ["normal"]\nbaseline = "normal"\n')  # of another study of that name
    assert build_report(store, study="mine").baseline == "lecun_normal"
    store.record_study(parse_study('inits = ["nfm"]', default_name="mine", origin="mine.toml"))  # still to be trained
    assert build_report(store, study="mine").baseline == "kaiming_uniform"


def test_a_diverged_run_is_counted_beside_the_mean_not_in_it(store):
    add_seeds(store, "kaiming_uniform", [50.0, 60.0, 70.0])
    add_failed(store, diverged=True, init="kaiming_agop", seed=0)
    add_failed(store, diverged=False, init="kaiming_agop", seed=1)
    add_done(store, 40.0, init="kaiming_agop", seed=2)
    row = row_of(store, "kaiming_agop")
    assert (row["n"], row["mean"], row["diverged"], row["failed"]) == (1, 40.0, 1, 1)
    assert (row["pairs"], row["delta"], row["delta_ci95"]) == (1, -30.0, None)


def test_a_method_that_always_diverged_has_a_row_without_numbers(store):
    add_failed(store, diverged=True, init="agop", seed=0)
    row = row_of(store, "agop")
    assert (row["n"], row["mean"], row["diverged"]) == (0, None, 1)


def test_a_run_at_chance_counts_in_the_mean_and_is_counted(store):
    add_done(store, 10.0, at_chance=True, init="nfm", seed=0)
    add_done(store, 90.0, init="nfm", seed=1)
    row = row_of(store, "nfm")
    assert (row["n"], row["mean"], row["at_chance"]) == (2, 50.0, 1)


def test_the_study_is_the_one_touched_last_unless_asked_for(store):
    add_seeds(store, "normal", [50.0], study="first")
    add_seeds(store, "normal", [60.0], study="second", lr=0.1)
    add_seeds(store, "normal", [70.0], lr=0.2)
    assert [row["mean"] for row in rows_of(store)] == [60.0]
    assert [row["mean"] for row in rows_of(store, study="first")] == [50.0]
    assert [row["mean"] for row in rows_of(store, study="all")] == [50.0, 60.0, 70.0]


@pytest.mark.parametrize(
    ("metric", "value"),
    {
        "test_accuracy": 45.0,
        "best_val_accuracy": 50.0,
        "final_val_accuracy": 50.0,
        "loss_gap": 0.5,
        "poster_loss_gap": 0.25,
        "accuracy_area": 50.0,
        "seconds": 2.0,
        "epochs_to:50": 1.0,
    }.items(),
)
def test_every_metric_is_read_from_the_store(store, metric, value):
    add_done(store, 50.0, test_accuracy=45.0, init="normal")
    assert row_of(store, "normal", metric=metric)["mean"] == value


def test_the_usual_metric_is_the_test_accuracy_where_every_run_has_one(store):
    add_done(store, 50.0, test_accuracy=45.0, init="normal", seed=0)
    assert build_report(store).measure.name == "test_accuracy"
    assert build_report(store, against="poster").measure.name == "best_val_accuracy"
    add_done(store, 50.0, test_accuracy=None, init="normal", seed=1)
    assert build_report(store).measure.name == "best_val_accuracy"


def test_methods_are_ranked_over_data_sets_and_one_that_diverged_everywhere_comes_last(store):
    for dataset, (normal, uniform) in {"svhn": (60.0, 50.0), "cifar10": (70.0, 40.0)}.items():
        add_done(store, normal, init="normal", dataset=dataset)
        add_done(store, uniform, init="uniform", dataset=dataset)
        add_failed(store, diverged=True, init="agop", dataset=dataset)
    report = build_report(store)
    assert report.ranks.mean_rank == {"normal": 1.0, "uniform": 2.0, "agop": 3.0}
    assert "mean rank over 2 data sets" in render_report(report)
    assert build_report(store, metric="loss_gap").ranks is None


def test_what_is_still_to_be_trained_has_no_rank_and_two_models_are_no_two_data_sets(store):
    for model in ("vgg11", "vgg16"):
        add_done(store, 60.0, init="normal", model=model)
        add_done(store, 50.0, init="uniform", model=model)
        store.add_runs([RunSpec.parse({"init": "orthogonal", "model": model})])
    report = build_report(store)
    assert report.ranks.mean_rank == {"normal": 1.0, "uniform": 2.0}
    assert "mean rank over 2 recipes" in render_report(report)


def test_a_run_without_a_value_of_the_metric_is_counted(store):
    add_done(store, 50.0, test_accuracy=None, init="normal", seed=0)
    add_done(store, 50.0, test_accuracy=48.0, init="normal", seed=1)
    row = row_of(store, "normal", metric="test_accuracy")
    assert (row["n"], row["mean"], row["missing"]) == (1, 48.0, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "accuracy"}, "unknown metric 'accuracy'.*best_val_accuracy, final_val_accuracy"),
        ({"study": "secnd"}, "unknown study 'secnd'; did you mean 'second'"),
        ({"baseline": "nfm"}, "unknown baseline 'nfm'.*normal"),
        ({"against": "paper"}, "unknown reference 'paper'.*poster"),
        ({"against": "poster", "metric": "loss_gap"}, "the poster has no loss_gap"),
    ],
)
def test_a_wrong_request_is_refused_with_what_would_be_right(store, options, message):
    add_seeds(store, "normal", [50.0], study="second")
    with pytest.raises(RequestError, match=message):
        build_report(store, **options)
