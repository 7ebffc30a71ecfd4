import csv
import io
import json
import statistics

import pytest
from helpers.imports import HEAVY, loaded_by
from helpers.stored_runs import add_done, add_failed

from agopconsole.analysis import poster
from agopconsole.analysis.report import build_report
from agopconsole.analysis.report_text import caption, render_report
from agopconsole.analysis.student_t import critical_value
from agopconsole.analysis.tables import FORMATS, Look
from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec

KEYS = {"dataset", "init", "n", "mean", "std", "ci95", "delta", "delta_ci95", "p_value", "reference"}


def add_seeds(store, init, accuracies, **fields):
    for seed, accuracy in enumerate(accuracies):
        add_done(store, accuracy, init=init, seed=seed, **fields)


def rows_of(store, **options):
    return build_report(store, **options).row_dicts()


def row_of(store, init, **options):
    (row,) = [row for row in rows_of(store, **options) if row["init"] == init]
    return row


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


def test_the_baseline_is_kaiming_uniform_else_the_first_method_else_the_one_asked_for(store):
    add_seeds(store, "normal", [50.0, 60.0])
    add_seeds(store, "uniform", [51.0, 62.0])
    assert build_report(store).baseline == "normal"
    assert build_report(store, baseline="uniform").baseline == "uniform"
    add_seeds(store, "kaiming_uniform", [51.0, 62.0])
    assert build_report(store).baseline == "kaiming_uniform"


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


def test_what_is_still_to_come_is_counted_and_what_was_cancelled_is_not(store):
    add_seeds(store, "normal", [50.0])
    _, cancelled = store.add_runs([RunSpec.parse({"init": "normal", "seed": seed}) for seed in (1, 2)])
    store.request_cancel(cancelled)
    row = row_of(store, "normal")
    assert (row["n"], row["unfinished"], row["failed"]) == (1, 1, 0)


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


def test_p_values_are_adjusted_over_the_table_and_the_effect_is_in_deviations(store):
    add_seeds(store, "kaiming_uniform", [50.0, 51.0, 52.0])
    add_seeds(store, "normal", [51.0, 53.0, 55.0])
    add_seeds(store, "uniform", [51.0, 50.0, 53.0])
    normal, uniform = row_of(store, "normal"), row_of(store, "uniform")
    assert (normal["p_value"], normal["p_holm"], normal["effect_size"]) == (0.25, 0.5, 2.0)
    assert (uniform["p_value"], uniform["p_holm"]) == (1.0, 1.0)


def test_methods_are_ranked_over_data_sets_and_one_that_diverged_everywhere_comes_last(store):
    for dataset, (normal, uniform) in {"svhn": (60.0, 50.0), "cifar10": (70.0, 40.0)}.items():
        add_done(store, normal, init="normal", dataset=dataset)
        add_done(store, uniform, init="uniform", dataset=dataset)
        add_failed(store, diverged=True, init="agop", dataset=dataset)
    report = build_report(store)
    assert report.ranks.mean_rank == {"normal": 1.0, "uniform": 2.0, "agop": 3.0}
    assert "mean rank over 2 data sets" in render_report(report)
    assert build_report(store, metric="loss_gap").ranks is None


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


def test_the_poster_s_table_is_whole():
    assert sum(len(row) for row in poster.TABLE.values()) == 28
    assert poster.TABLE["svhn"]["normal"] == 92.35
    assert poster.TABLE["cifar10"]["nfm"] == 79.32
    assert poster.TABLE["cifar100"]["kaiming_nfm"] == 48.33
    assert poster.TABLE["tiny_imagenet"]["agop"] == 29.56
    assert sum(sum(row.values()) for row in poster.TABLE.values()) == pytest.approx(1716.16)


def test_the_poster_s_number_stands_in_its_cell_alone(store):
    add_seeds(store, "kaiming_nfm", [70.0], dataset="cifar10")
    add_seeds(store, "kaiming_nfm", [70.0], dataset="cifar10", scale="poster")
    add_seeds(store, "kaiming_nfm", [70.0], dataset="cifar10", classes="0-4")
    add_seeds(store, "kaiming_nfm", [70.0], dataset="cifar10", model="vgg16")
    add_seeds(store, "kaiming_agop", [70.0], dataset="cifar10")
    add_seeds(store, "kaiming_nfm", [70.0], dataset="digits")
    references = [row["reference"] for row in rows_of(store, against="poster")]
    assert sorted(references, key=lambda value: value is None) == [78.69, 78.69, None, None, None, None]
    assert {row["reference"] for row in rows_of(store)} == {None}


def test_the_caveat_says_what_differs_from_the_poster_s_recipe(store):
    add_seeds(store, "agop", [70.0, 71.0], dataset="svhn", epochs=5)
    caveat = build_report(store, against="poster").caveat
    assert "epochs 5 not 20" in caveat
    assert "image_size 32 not 224" in caveat
    assert "scale unit not poster" in caveat
    assert "agop_images 64 not 11" in caveat
    assert "seeds 2 not 3" in caveat
    assert "batch_size" not in caveat
    assert "source" not in caveat


def test_the_poster_s_own_recipe_has_no_caveat_but_the_missing_error_bars(store):
    add_seeds(store, "nfm", [70.0, 71.0, 72.0], dataset="svhn", image_size=224, scale="poster", agop_images=11)
    assert build_report(store, against="poster").caveat.endswith("no error bars; its recipe")


def test_a_study_of_other_things_has_no_number_of_the_poster(store):
    add_seeds(store, "normal", [70.0], dataset="digits")
    assert "no row is in its table" in build_report(store, against="poster").caveat


@pytest.fixture
def mixed(store):
    """Two data sets, a twin, a run at chance, one that diverged, and one without a partner."""
    for dataset in ("cifar10", "svhn"):
        add_seeds(store, "kaiming_uniform", [50.0, 51.0, 52.5], dataset=dataset, study="mixed")
        add_seeds(store, "kaiming_normal", [50.5, 51.0, 52.0], dataset=dataset, study="mixed")
        add_seeds(store, "kaiming_nfm", [60.0, 61.1, 62.4], dataset=dataset, study="mixed")
    add_done(store, 10.0, at_chance=True, init="nfm", dataset="svhn", study="mixed")
    add_failed(store, diverged=True, init="agop", dataset="svhn", study="mixed")
    return build_report(store, against="poster")


def test_json_is_the_object_of_the_design(mixed):
    found = json.loads(render_report(mixed, "json"))
    assert found["metric"] == "best_val_accuracy"
    assert len(found["rows"]) == 8
    assert all(set(row) >= KEYS for row in found["rows"])
    assert found["rows"] == json.loads(json.dumps(mixed.row_dicts()))


def test_csv_has_the_keys_of_json(mixed):
    rows = list(csv.DictReader(io.StringIO(render_report(mixed, "csv"))))
    assert [row["init"] for row in rows] == [row["init"] for row in mixed.row_dicts()]
    assert float(rows[2]["twin_delta"]) == mixed.row_dicts()[2]["twin_delta"]
    assert rows[-1]["mean"] == ""


@pytest.mark.parametrize("output_format", ["table", "markdown", "latex"])
def test_a_reader_sees_every_row_every_flag_and_what_the_marks_mean(mixed, output_format):
    text = render_report(mixed, output_format).replace("\\", "")
    assert text.count("kaiming_nfm") == 2 + 1  # rows, and the line of ranks
    assert text.count("1 at chance") == 1
    assert text.count("1 diverged") == 1
    assert text.count("78.69") == 1
    for words in (
        "study mixed",
        "95 % t interval",
        "paired by seed",
        "sign-flip",
        "Δ twin:",
        "seeds 0 or 1 or 3 not 3",
    ):
        assert words in text


def test_a_difference_is_starred_where_its_interval_leaves_zero_out(mixed):
    lines = render_report(mixed, "markdown").splitlines()
    (nfm,) = [line for line in lines if line.startswith("| cifar10 | kaiming_nfm")]
    (normal,) = [line for line in lines if line.startswith("| cifar10 | kaiming_normal")]
    assert nfm.count(r"\*") == 2
    assert "*" not in normal


def test_columns_that_would_be_empty_are_left_out(store):
    add_seeds(store, "normal", [50.0])
    head = render_report(build_report(store), "markdown").splitlines()[2]
    assert head == "| method | n | mean | std |"


def test_fields_that_vary_are_columns(store):
    add_seeds(store, "normal", [50.0])
    add_seeds(store, "normal", [60.0], batch_size=32)
    lines = render_report(build_report(store), "markdown").splitlines()
    assert lines[2].startswith("| method | batch size | n |")
    assert lines[5].startswith("| normal | 32 | 1 | 60.00 |")


def test_few_pairs_come_with_a_word_on_p(mixed):
    assert any("with 3 seeds it cannot fall below 0.25" in line for line in caption(mixed))


@pytest.mark.parametrize("output_format", FORMATS)
def test_an_empty_store_has_a_report_too(store, output_format):
    text = render_report(build_report(store), output_format)
    assert json.loads(text)["rows"] == [] if output_format == "json" else text


def test_a_report_can_be_read_without_unicode(mixed):
    assert render_report(mixed, "table", Look(unicode=False)).isascii()


def test_a_report_needs_no_numerical_library(mixed, store):
    code = (
        "import sys; from pathlib import Path; from agopconsole.store import Store\n"
        "from agopconsole.analysis.report import build_report\n"
        "from agopconsole.analysis.report_text import render_report\n"
        "print(render_report(build_report(Store(Path(sys.argv[1]))), 'csv'))"
    )
    modules, out = loaded_by(code, store.path)
    assert not modules & (HEAVY | {"rich"})
    assert len(out.splitlines()) == 1 + len(mixed.rows)
