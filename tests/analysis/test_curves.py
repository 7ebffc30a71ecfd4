"""Series of stored runs: which runs a line speaks for, and what it says of the others."""

import math
from dataclasses import replace
from statistics import mean, stdev

import pytest
from helpers.demo_store import build_demo_store, epoch_metrics

from agopconsole.analysis.charts import Series, accuracy_series, loss_gap_series
from agopconsole.analysis.curves import Choice, Numbers, extent, names, plot_series
from agopconsole.analysis.plots import PLOTS, USUAL
from agopconsole.analysis.smoothing import smooth
from agopconsole.metrics import EpochAnsatz, LayerAnsatz, StepMetrics
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


def plotted(plot, runs, numbers, *, by_method=True, **options):
    choice = Choice(runs, ()) if by_method else Choice((), runs)
    return by_label(plot_series(PLOTS[plot], choice, numbers, **options))


def steps_of(runs, seeds=3):
    """The same steps of every run, their loss told by seed and step."""
    return {
        run.id: [StepMetrics(step, 1 + step // 19, 2.0 / step + run.seed, 1.0, 0.1) for step in range(2, 37, 2)]
        for run in runs[: 6 * seeds]
    }


def test_the_two_losses_of_a_method_share_its_colour_and_the_lesser_is_dotted(demo):
    runs, histories = demo
    lines = plotted("losses", runs, Numbers(histories))
    val, train = lines["kaiming_uniform n=3"], lines["kaiming_uniform n=3 train"]
    assert (val.colour, val.dotted, train.dotted) == (train.colour, False, True)
    last = [histories[run.id][-1] for run in runs if run.method == "kaiming_uniform"]
    assert val.y[-1] == pytest.approx(mean(epoch.val_loss for epoch in last))
    assert train.y[-1] == pytest.approx(mean(epoch.fixed_train_loss for epoch in last))
    assert val.band is not None
    assert train.band is None


@pytest.mark.parametrize("plot", [name for name, plot in PLOTS.items() if not plot.over_layers])
@pytest.mark.parametrize("x", ["epoch", "step", "time"])
@pytest.mark.parametrize("by_method", [True, False])
def test_every_plot_can_be_drawn_over_every_x(demo, plot, x, by_method):
    runs, histories = demo
    lines = plotted(plot, runs, Numbers(histories, steps_of(runs)), by_method=by_method, x=x)
    assert any(len(line.y) > 10 for line in lines.values())
    for line in lines.values():
        assert len(line.x) == len(line.y)
        assert list(line.x) == sorted(line.x)


def test_over_time_a_method_stands_at_the_mean_of_its_seeds(demo):
    runs, histories = demo
    slower = {run.id: [replace(epoch, seconds=1.0 + run.seed) for epoch in histories[run.id]] for run in runs}
    line = plotted("val_accuracy", runs, Numbers(slower), x="time")["kaiming_uniform n=3"]
    assert line.x[:3] == [2.0, 4.0, 6.0]


def test_the_steps_of_a_method_are_those_that_all_its_seeds_have(demo):
    runs, histories = demo
    steps = steps_of(runs)
    steps[1] = steps[1][1:]
    steps[7] = steps[7][:-1]
    line = plotted("step_loss", runs, Numbers(histories, steps), x="step")["kaiming_uniform n=3"]
    assert list(line.x) == list(range(4, 35, 2))
    assert line.y[0] == pytest.approx(2.0 / 4 + 1)
    assert line.band[0] == pytest.approx(stdev([0, 1, 2]))


def test_where_a_run_diverged_is_marked_on_every_axis(demo):
    runs, histories = demo
    agop = [run for run in runs if run.diverged]
    found = {
        x: plotted("val_accuracy", agop, Numbers(histories), x=x)["kaiming_agop n=0"].lost
        for x in ("epoch", "step", "time")
    }
    assert found == {"epoch": [2, 3], "step": [36, 54], "time": [5.0, 7.5]}
    steps = {run.id: [StepMetrics(7, 1, math.nan, 1.0, 0.1)] for run in agop}
    assert plotted("step_loss", agop, Numbers(histories, steps), x="step")["kaiming_agop n=0"].lost == [7, 7]


def test_a_run_that_diverged_before_its_first_epoch_is_marked_all_the_same(demo):
    runs, _ = demo
    agop = [run for run in runs if run.diverged]
    assert plotted("val_accuracy", agop, Numbers({}), x="time")["kaiming_agop n=0"].lost == [0, 0]


def test_smoothing_reaches_a_share_of_the_whole_axis(demo):
    runs, histories = demo
    raw, smoothed = (plotted("val_accuracy", runs, Numbers(histories), smoothing=s) for s in (0.0, 0.1))
    for label, line in raw.items():
        assert smoothed[label].y == smooth(line.x, line.y, 0.1 * 19)


def test_the_extent_holds_all_points_and_what_was_lost():
    series = [Series("a", "#000000", [2, 3], [1, 1]), Series("b", "#000000", [], [], lost=[9, math.nan])]
    assert extent(series) == (2, 9)
    assert extent([]) is None


def test_values_too_large_to_square_have_no_band_rather_than_an_error(demo):
    runs, histories = demo
    huge = {
        run.id: [replace(epoch, images_per_second=(-1) ** run.seed * 1e300) for epoch in histories[run.id]]
        for run in runs
    }
    band = plotted("throughput", runs, Numbers(huge))["kaiming_uniform n=3"].band
    assert band[0] == math.inf


def test_the_usual_charts_are_in_the_catalogue():
    assert set(USUAL) <= set(PLOTS)
    assert all(name == plot.name for name, plot in PLOTS.items())


def ansatz_of(run, epoch):
    """Two layers, whose correlation grows with the epoch and the seed."""
    layers = tuple(LayerAnsatz(f"features.{i}", 0.1 * i + 0.02 * epoch + 0.01 * run.seed, 0.5, 0.9) for i in (0, 3))
    return EpochAnsatz(epoch, layers)


def test_the_ansatz_of_a_method_is_drawn_over_its_layers_beside_that_of_the_start(demo):
    runs, _ = demo
    chosen = [run for run in runs if run.method == "kaiming_uniform"]
    numbers = Numbers({}, ansatz={run.id: [ansatz_of(run, epoch) for epoch in (0, 10, 20)] for run in chosen})
    lines = plotted("ansatz", chosen, numbers, x="time", smoothing=0.1)
    line, start = lines["kaiming_uniform n=3"], lines["kaiming_uniform n=3 at the start"]
    assert (line.x, start.dotted) == ([1, 2], True)
    assert line.y == pytest.approx([0.41, 0.71])
    assert line.band == pytest.approx([0.01, 0.01])
    assert start.y == pytest.approx([0.01, 0.31])
    assert PLOTS["ansatz"].axes("time", log=False).x_label == "layer"


def test_without_a_measurement_of_the_start_there_is_none_of_it(demo):
    runs, _ = demo
    numbers = Numbers({}, ansatz={1: [ansatz_of(runs[0], 20)]})
    lines = plotted("ansatz_sqrt", runs, numbers)
    assert lines["kaiming_uniform n=1"].y == [0.5, 0.5]
    assert list(lines["kaiming_uniform n=1 at the start"].y) == []
    assert len(lines) == 2, "a run that diverged has no part in it unless it was measured"


def test_names_are_those_of_the_lines_of_all_plots_with_what_was_lost(demo):
    runs, histories = demo
    layers = (LayerAnsatz("features.0", 0.5, 0.6, 0.9),)
    measured = next(run for run in runs if run.method == "kaiming_normal")
    numbers = Numbers(histories, {run.id: () for run in runs}, {measured.id: [EpochAnsatz(0, layers)]})
    for choice in (Choice(runs, ()), Choice((), runs)):
        lines = by_label(plot_series(PLOTS["val_accuracy"], choice, numbers))
        named = by_label(names([PLOTS["val_accuracy"], PLOTS["loss_gap"]], choice, numbers))
        assert [(label, one.colour, one.lost) for label, one in named.items()] == [
            (label, one.colour, one.lost) for label, one in lines.items()
        ]
        assert not any(one.x or one.y for one in named.values())
    # One seed of three was measured: the name that both charts share says nothing of how many there are.
    both = names([PLOTS["ansatz"], PLOTS["val_accuracy"]], Choice(runs, ()), numbers)
    assert [one.label for one in both][:3] == ["kaiming_uniform n=3", "kaiming_normal", "lecun_normal n=3"]
    assert [one.label for one in names([PLOTS["ansatz"]], Choice(runs, ()), numbers)] == ["kaiming_normal n=1"]
    assert names([PLOTS["step_loss"]], Choice((), [measured]), numbers) == []
