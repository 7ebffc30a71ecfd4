"""What the lists of commands say of each: one short sentence, whole on the narrowest usual terminal."""

import re

import pytest

GROUPS = {"": 13, "runs": 13, "datasets": 2}


@pytest.mark.parametrize("group", GROUPS)
def test_no_summary_of_a_command_is_cut_at_80_columns(cli, monkeypatch, group):
    monkeypatch.setenv("COLUMNS", "80")
    status, out, _ = cli(*group.split(), "--help")
    listed = out.partition("Commands:\n")[2].splitlines()
    assert (status, len(listed)) == (0, GROUPS[group])  # one line each
    for line in listed:
        assert re.fullmatch(r"  [a-z]+ +[A-Z][^.]+\.", line), line
        assert len(line) <= 80


def test_the_lists_that_are_looked_at_are_all_there_are(cli):
    from agopconsole.cli.app import app

    assert {group.name for group in app.registered_groups} == GROUPS.keys() - {""}
