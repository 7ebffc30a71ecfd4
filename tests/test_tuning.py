"""What a search for the best settings is asked for, and what it is split into."""

import pytest

from agopconsole.errors import RequestError
from agopconsole.study import expand
from agopconsole.tuning import Span, Tuning, cells, check_trials, trial_seed


def test_without_a_word_all_three_are_tuned():
    tuning = Tuning.parse({})
    assert tuning.trials == 20
    assert {name: span.logarithmic for name, span in tuning.spans.items()} == {
        "lr": True,
        "weight_decay": True,
        "momentum": False,
    }


def test_a_span_that_is_named_is_tuned_alone():
    tuning = Tuning.parse({"trials": 5, "lr": [0.001, 1]})
    assert (tuning.trials, tuning.spans) == (5, {"lr": Span(0.001, 1.0, True)})
    assert [tuning.spans["lr"].holds(value) for value in (0.001, 0.5, 1.1)] == [True, True, False]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"epochs": [1, 2]}, "unknown key of tune 'epochs'"),
        ({"trials": 0}, "trials must be a whole number, 1 to 100000"),
        ({"trials": 2.5}, "trials must be a whole number"),
        ({"trials": True}, "trials must be a whole number"),
        ({"lr": 0.1}, "lr of tune must be its least and its greatest value, as in [0.0001, 0.1]"),
        ({"lr": [0.1]}, "lr of tune must be its least and its greatest value"),
        ({"lr": [0.1, 0.01]}, "lr of tune must be its least and its greatest value"),
        ({"lr": [0.1, 0.2, 0.3]}, "lr of tune must be its least and its greatest value"),
        ({"lr": ["a", "b"]}, "lr must be a number"),
        ({"lr": [0.1, float("inf")]}, "lr must be a finite number"),
        ({"lr": [0.1, 10**400]}, "lr must be no larger than"),
        ({"momentum": [False, True]}, "momentum must be a number, not false"),
        ({"weight_decay": [0, 0.1]}, "weight_decay of tune must be above 0"),
        ({"momentum": [0.5, 1]}, "momentum must be at least 0 and below 1, not 1"),
    ],
)
def test_a_wrong_search_is_refused_with_what_is_wrong(table, words):
    with pytest.raises(RequestError) as caught:
        expand({"inits": ["normal"], "tune": table}, "s")
    assert words in str(caught.value)


def test_trials_of_the_command_line_are_checked_alike():
    assert check_trials(7) == 7
    with pytest.raises(RequestError):
        check_trials(-1)


def test_a_cell_is_a_method_under_a_recipe_whatever_its_seed_and_what_is_tuned():
    grid = {"lr": [0.1, 0.2], "epochs": [1, 2]}
    study = expand({"inits": ["normal", "uniform"], "seeds": [4, 2], "grid": grid, "tune": {"lr": [0.01, 1]}}, "s")
    found = cells(study.runs, study.tuning)
    assert [(cell.init, cell.epochs, cell.lr, cell.seed) for cell in found] == [
        ("normal", 1, 0.1, 0),
        ("uniform", 1, 0.1, 0),
        ("normal", 2, 0.1, 0),
        ("uniform", 2, 0.1, 0),
    ]
    assert trial_seed(study.runs) == 5


def test_the_seed_of_the_trials_is_one_that_the_store_can_take():
    study = expand({"inits": ["normal"], "seeds": [0, 2**63 - 1, 1]}, "largest_seed")
    assert trial_seed(study.runs) == 2
