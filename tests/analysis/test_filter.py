"""The filter language: what each term lets through, and what it says of a term that is none."""

import pytest
from helpers.stored_runs import add_done, add_failed

from agopconsole.analysis.filter import parse_filter
from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec


@pytest.fixture
def runs(store):
    add_done(store, 80.0, init="kaiming_nfm", source="imagenet", seed=0, study="first", lr=0.01)
    add_done(store, 90.0, init="kaiming_normal", seed=3, study="first", dataset="cifar10", optimizer="adamw")
    add_done(store, 10.0, init="nfm", seed=4, source="imagenet", at_chance=True, name="my own words")
    add_failed(store, diverged=True, init="agop", source="imagenet", seed=5, scale="kaiming")
    store.add_runs([RunSpec.parse({"init": "orthogonal", "seed": 6})])
    return store.runs()


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("  ", [1, 2, 3, 4, 5]),
        ("init:kaiming_*", [1, 2, 4]),
        ("-init:kaiming_*", [3, 5]),
        ("init:nfm,orthogonal", [3, 5]),
        ("init:kaiming_agop", [4]),
        ("dataset:CIFAR10", [2]),
        ("status:queued", [5]),
        ("status:diverged", [4]),
        ("status:at_chance,queued", [3, 5]),
        ("seed:<3", [1]),
        ("seed:>=4", [3, 4, 5]),
        ("seed:3", [2]),
        ("seed:0-4", [1, 2, 3]),
        ("seed:0,6", [1, 5]),
        ("lr:>0.001", [1]),
        ("best:>85", [2, 4]),
        ("optimizer:adamw", [2]),
        ("study:first seed:0", [1]),
        ('name:"my own words"', [3]),
        ('"own words"', [3]),
        ("#4", [4]),
        ("ORTHO", [5]),
        ("init: seed:3", [2]),
        ("momentum:0.9 id:<=2", [1, 2]),
    ],
)
def test_it_lets_through(runs, text, ids):
    wanted = parse_filter(text)
    assert [run.id for run in runs if wanted(run)] == ids


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sede:3", "unknown field of a filter 'sede'; did you mean 'seed'?"),
        ("seed:<x", "seed:<x needs a number, such as seed:3"),
        ("seed:<", "seed:< needs a number"),
        ("status:dead", "unknown status 'dead'"),
        ('name:"my own', "a closing quote may be missing"),
    ],
)
def test_it_says_what_is_wrong(text, message):
    with pytest.raises(RequestError) as error:
        parse_filter(text)
    assert message in str(error.value)


def test_a_number_that_is_not_there_is_in_no_range(runs):
    assert [run.id for run in runs if parse_filter("gap:<1000")(run)] == [1, 2, 3, 4]
