"""The sentences under a report: who is better, what is not shown, and how little few seeds can show."""

import pytest
from helpers.stored_runs import add_done, add_failed, add_seeds

from agopconsole.analysis.answer import answer
from agopconsole.analysis.report import build_report
from agopconsole.analysis.report_text import render_report
from agopconsole.analysis.tables import Look
from agopconsole.spec import RunSpec

BASE = [50.0, 51.0, 52.5]
BETTER = [55.0, 56.1, 57.4]
WORSE = [40.1, 40.9, 42.6]
LEVEL = [50.5, 50.0, 53.5]


def told(store, **options):
    return answer(build_report(store, **options))


def test_who_is_better_who_worse_and_of_whom_nothing_is_shown(store):
    add_seeds(store, "kaiming_uniform", BASE)
    add_seeds(store, "normal", BETTER)
    add_seeds(store, "uniform", WORSE)
    add_seeds(store, "xavier_normal", LEVEL)
    first, *_ = told(store)
    assert first == (
        "better than kaiming_uniform: normal by 5.00 ± 0.25; worse: uniform by 9.97 ± 0.29; no difference is shown"
        " for xavier_normal (+0.17 ± 2.59); all of this holds after Holm's correction of the t test for 3 comparisons"
        " (points ± half a 95 % interval, paired by seed, n = 3)"
    )


def test_where_nothing_is_shown_it_says_so(store):
    add_seeds(store, "kaiming_uniform", BASE)
    add_seeds(store, "xavier_normal", LEVEL)
    assert told(store) == (
        "nothing is shown better than kaiming_uniform; no difference is shown for xavier_normal (+0.17 ± 2.59)"
        " (points ± half a 95 % interval, paired by seed, n = 3)",
        "with n = 3 the sign-flip test's p is 0.25 at least; what is shown rests on t intervals, which assume that"
        " differences over seeds are normal",
    )


def test_what_only_its_own_interval_shows_is_told_from_what_holds_for_the_whole_table(store):
    add_seeds(store, "kaiming_uniform", [50.0, 51.0, 52.0])
    add_seeds(store, "normal", [60.0, 61.1, 61.9])
    add_seeds(store, "uniform", [52.0, 52.0, 54.0])
    add_seeds(store, "xavier_normal", [50.0, 52.0, 51.0])
    assert "after Holm's correction of the t test for 3 comparisons this holds for normal alone" in told(store)[0]
    assert "uniform by 1.67 ± 1.43" in told(store)[0]


def test_lower_is_better_where_a_metric_counts_time_and_neither_where_it_is_a_gap(store):
    add_seeds(store, "kaiming_uniform", BASE)
    add_seeds(store, "normal", BETTER)
    assert told(store, metric="seconds")[0].startswith("nothing is shown better than kaiming_uniform; no difference")
    assert "(+0.0 ± 0.0, the same in each seed)" in told(store, metric="seconds")[0]
    assert told(store, metric="loss_gap")[0].startswith("nothing is shown higher than kaiming_uniform")


def test_a_number_of_seeds_of_its_own_stands_with_the_difference(store):
    add_seeds(store, "kaiming_uniform", BASE)
    add_seeds(store, "normal", BETTER)
    add_seeds(store, "uniform", [40.0, 41.1])
    add_seeds(store, "orthogonal", [40.0])
    assert "worse: uniform by 9.95 ± 0.64 (n = 2); after" in told(store)[0].replace("all of this holds ", "")
    assert "orthogonal" not in told(store)[0]


def test_without_two_seeds_in_common_nothing_is_compared(store):
    add_done(store, 50.0, init="kaiming_uniform", seed=0)
    add_done(store, 60.0, init="normal", seed=1)
    assert told(store) == ("nothing is shown against kaiming_uniform: no method has two seeds in common with it",)


def test_a_baseline_without_a_number_and_runs_to_come_are_said(store):
    add_failed(store, diverged=True, init="kaiming_uniform", seed=0)
    add_failed(store, diverged=False, init="kaiming_uniform", seed=1)
    add_seeds(store, "normal", BETTER)
    store.add_runs([RunSpec.parse({"init": "normal", "seed": 7})])
    assert told(store) == (
        "kaiming_uniform has no number, so that nothing is compared with it",
        "of 6 runs 1 diverged and left no number (kaiming_uniform 1); 1 failed and left no number (kaiming_uniform"
        " 1); 1 still to come, so that this is not the last word (normal 1)",
    )


def test_runs_without_any_number_show_nothing(store):
    store.add_runs([RunSpec.parse({"seed": seed}) for seed in (0, 1)])
    assert told(store)[0] == "nothing is shown: no run has a value of this metric"
    assert "2 still to come" in told(store)[1]


def test_runs_at_chance_and_without_a_value_are_counted(store):
    add_seeds(store, "kaiming_uniform", BASE, test_accuracy=50.0)
    add_done(store, 10.0, init="normal", at_chance=True, test_accuracy=None)
    text = told(store, metric="test_accuracy")[-1]
    assert "1 stayed at chance, which the means include (normal 1)" in text
    assert "1 without a value of this metric (normal 1)" in text


def test_enough_seeds_let_the_sign_flip_test_speak(store):
    seeds = range(8)
    add_seeds(store, "kaiming_uniform", [50.0 + seed for seed in seeds])
    add_seeds(store, "normal", [55.0 + seed + seed % 3 / 10 for seed in seeds])
    add_seeds(store, "uniform", [50.0 + seed + (-1) ** seed for seed in seeds])
    assert told(store)[-1] == (
        "with n = 8 the sign-flip test's p is 0.00781 at least, 0.0156 after Holm's correction for 2 comparisons; by"
        " it, without t's normality, 1 of 2 differences to kaiming_uniform is shown"
    )


def test_each_of_two_data_sets_is_answered_by_itself(store):
    for dataset, other in (("svhn", BETTER), ("cifar10", WORSE)):
        add_seeds(store, "kaiming_uniform", BASE, dataset=dataset)
        add_seeds(store, "normal", other, dataset=dataset)
    svhn, cifar, _ = told(store)
    assert svhn.startswith("svhn: better than kaiming_uniform: normal by 5.00")
    assert cifar.startswith("cifar10: nothing is shown better than kaiming_uniform; worse: normal by 9.97")


def test_a_field_of_the_recipe_tells_two_answers_apart(store):
    for lr in (0.1, 0.2):
        add_seeds(store, "kaiming_uniform", BASE, lr=lr)
    add_seeds(store, "normal", BETTER, lr=0.1)
    first, second, _ = told(store)
    assert first.startswith("digits lr=0.1: better than")
    assert second == "digits lr=0.2: there is no other method to compare kaiming_uniform with"


def test_sources_tell_two_rows_of_a_method_apart(store):
    add_seeds(store, "kaiming_uniform", BASE)
    for source, accuracies in (("a.pt", BETTER), ("b.pt", WORSE)):
        add_seeds(store, "nfm", accuracies, source=source)
    assert "nfm source=a.pt by 5.00" in told(store)[0]
    assert "worse: nfm source=b.pt by 9.97" in told(store)[0]


def test_verdicts_over_many_tables_are_counted(store):
    for epochs in range(1, 6):
        add_seeds(store, "kaiming_uniform", BASE, epochs=epochs)
        add_seeds(store, "kaiming_normal", LEVEL, epochs=epochs)
        add_seeds(store, "kaiming_nfm", BETTER if epochs < 4 else WORSE, epochs=epochs)
    told_of = {text.partition(":")[0]: text for text in told(store)}
    assert (
        "better in 3, worse in 2, no difference shown in 0 of 5 comparisons (5 hold after Holm's correction of the t"
        " test for 10) with kaiming_uniform" in told_of["kaiming_nfm"]
    )
    assert "with its twin" in told_of["kaiming_nfm"]
    assert "no difference shown in 5 of 5" in told_of["kaiming_normal"]


def test_an_empty_report_has_no_answer(store):
    assert told(store) == ()
    assert "answer" not in render_report(build_report(store))


@pytest.mark.parametrize(("output_format", "begins"), [("table", "- "), ("markdown", "- "), ("latex", "")])
def test_the_answer_stands_under_the_table(store, output_format, begins):
    add_seeds(store, "kaiming_uniform", BASE)
    add_seeds(store, "xavier_normal", LEVEL)
    text = render_report(build_report(store), output_format).replace("\\", "").replace("$pm$", "±")
    table, notes = text.index("mean"), text.index("half the width")
    assert table < text.index(f"{begins}nothing is shown better than kaiming_uniform;") < notes


def test_the_answer_keeps_to_the_width_of_the_terminal(store):
    add_seeds(store, "kaiming_uniform", BASE)
    add_seeds(store, "xavier_normal", LEVEL)
    text = render_report(build_report(store), "table", Look(width=70))
    lines = text[text.index("answer:") :].partition("\n\n")[0].splitlines()
    assert len(lines) > 3
    assert max(map(len, lines)) <= 70
