"""Series of stored runs: which runs a line speaks for, and what it says of the others."""

import math
from statistics import mean, stdev

import pytest
from helpers.demo_store import build_demo_store, epoch_metrics

from agopconsole.analysis.charts import accuracy_series, loss_gap_series
from agopconsole.spec import RunSpec
from agopconsole.store import Owner, Store


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    with Store(build_demo_store(tmp_path_factory.mktemp("demo") / "runs.db")) as store:
        runs = store.runs()
        yield runs, store.histories([run.id for run in runs])


def by_label(series):
    return {one.label: one for one in series}


def test_a_method_is_one_line_with_mean_deviation_and_n(demo):
    runs, histories = demo
    line = by_label(accuracy_series(runs, histories))["kaiming_uniform n=3"]
    at_epoch_5 = [histories[run.id][4].val_accuracy for run in runs if run.method == "kaiming_uniform"]
    assert len(at_epoch_5) == 3
    assert line.x[4] == 5
    assert line.y[4] == pytest.approx(mean(at_epoch_5))
    assert line.band[4] == pytest.approx(stdev(at_epoch_5))


def test_a_seed_that_still_runs_waits_for_its_end(demo):
    runs, histories = demo
    line = by_label(accuracy_series(runs, histories))["kaiming_nfm n=2"]
    assert len(line.y) == 20


def test_before_the_first_is_done_the_seeds_on_their_way_count_as_far_as_all_have_come(demo):
    runs, histories = demo
    on_their_way = [run for run in runs if run.method == "kaiming_nfm" and run.status == "running"]
    (line,) = accuracy_series(on_their_way, histories)
    assert (line.label, len(line.y), line.band) == ("kaiming_nfm n=1", 12, None)


def test_diverged_seeds_have_no_part_in_the_mean_and_are_marked(demo):
    runs, histories = demo
    line = by_label(accuracy_series(runs, histories))["kaiming_agop n=0"]
    assert list(line.y) == []
    assert sorted(line.lost) == [2, 3]


def test_seeds_at_chance_count_and_are_named(demo):
    runs, histories = demo
    assert "nfm n=2, 1 at chance" in by_label(accuracy_series(runs, histories))


def test_one_line_a_run_with_shades_of_the_methods_colour(demo):
    runs, histories = demo
    series = by_label(accuracy_series(runs, histories, by_method=False))
    assert "#11 nfm s1 at chance" in series
    assert series["#6 kaiming_agop s0"].lost == [2]
    assert len({series[f"#{i} kaiming_uniform s{s}"].colour for i, s in ((1, 0), (7, 1), (13, 2))}) == 3
    assert not any(label.startswith("#17") for label in series), "a run without an epoch has no line"


def test_the_loss_gap_is_validation_less_training_loss(demo):
    runs, histories = demo
    line = by_label(loss_gap_series(runs, histories, by_method=False))["#2 kaiming_normal s0"]
    assert line.y[-1] == pytest.approx(histories[2][-1].val_loss - histories[2][-1].fixed_train_loss)


def test_a_number_that_is_not_finite_breaks_the_line_of_the_method(tmp_path):
    with Store(tmp_path / "runs.db", create=True) as store:
        store.add_runs([RunSpec.parse({"seed": seed}) for seed in range(2)])
        for _ in range(2):
            run = store.claim(Owner("here", "boot", 1, 0.0))
            for epoch in (1, 2, 3):
                metrics = epoch_metrics(run, epoch)
                if (run.seed, epoch) == (1, 2):
                    metrics = type(metrics)(
                        **{f: getattr(metrics, f) for f in metrics.__slots__} | {"val_accuracy": math.nan}
                    )
                store.record_epoch(run.id, metrics)
        runs = store.runs()
        (line,) = accuracy_series(runs, store.histories([1, 2]))
    assert [math.isfinite(y) for y in line.y] == [True, False, True]
    assert line.band[1] == 0.0


def test_recipes_that_differ_have_lines_of_their_own_that_say_how(tmp_path):
    with Store(tmp_path / "runs.db", create=True) as store:
        store.add_runs([RunSpec.parse({"lr": lr}) for lr in (0.1, 0.01)])
        for _ in range(2):
            run = store.claim(Owner("here", "boot", 1, 0.0))
            store.record_epoch(run.id, epoch_metrics(run, 1))
        labels = [one.label for one in accuracy_series(store.runs(), store.histories([1, 2]))]
    assert labels == ["kaiming_uniform lr=0.1 n=1", "kaiming_uniform lr=0.01 n=1"]
