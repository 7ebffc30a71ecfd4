import pytest
from helpers.stored_runs import add_done, add_failed, make_epoch

from agopconsole.analysis.measures import MEASURES, column, measured, parse_measure
from agopconsole.errors import RequestError


@pytest.mark.parametrize("name", MEASURES)
def test_every_metric_goes_by_its_name(name):
    assert parse_measure(name) is MEASURES[name]


def test_epochs_to_an_accuracy_carries_it():
    measure = parse_measure("epochs_to:72.5")
    assert (measure.accuracy, measure.better) == (72.5, "lower")
    assert "72.5 %" in measure.title


@pytest.mark.parametrize("text", ["epochs_to", "epochs_to:", "epochs_to:0", "epochs_to:101", "epochs_to:nan"])
def test_epochs_to_no_accuracy_is_refused(text):
    with pytest.raises(RequestError, match="epochs_to:70"):
        parse_measure(text)


def test_an_unknown_metric_is_refused_with_all_there_are():
    with pytest.raises(RequestError, match=r"choose from test_accuracy.*epochs_to:ACCURACY"):
        parse_measure("accuracy")


def test_only_runs_that_trained_to_the_end_are_measured(store):
    done = add_done(store, 50.0, init="normal")
    add_failed(store, diverged=True, init="agop")
    runs = store.runs()
    assert column(runs, "best_val_accuracy") == {done: 50.0}
    assert measured(store, runs, parse_measure("seconds")) == {done: make_epoch().seconds}


def test_a_run_that_never_reached_the_accuracy_has_no_value(store):
    add_done(store, 50.0, init="normal")
    assert measured(store, store.runs(), parse_measure("epochs_to:60")) == {}
