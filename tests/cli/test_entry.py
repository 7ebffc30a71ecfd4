import pytest

from agopconsole.cli.entry import globals_first
from agopconsole.errors import RequestError


@pytest.mark.parametrize(
    ("given", "moved"),
    [
        ("runs list --db a", "--db a runs list"),
        ("runs list --db=a --format json", "--db=a runs list --format json"),
        ("run --data-dir d --init nfm --db a", "--data-dir d --db a run --init nfm"),
        ("run -- --db a", "run -- --db a"),
        ("runs list", "runs list"),
    ],
)
def test_global_options_may_stand_anywhere(given, moved):
    assert globals_first(given.split()) == moved.split()


def test_a_global_option_without_a_value():
    with pytest.raises(RequestError, match="'--db' requires an argument"):
        globals_first(["run", "--db"])
