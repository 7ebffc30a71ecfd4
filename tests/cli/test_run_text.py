from dataclasses import replace

import pytest
from helpers.stored_runs import add_done

from agopconsole.cli.run_text import describe, run_columns, status_line


@pytest.fixture
def done(store):
    return store.run(add_done(store, 80.0, init="kaiming_normal", test_accuracy=79.0, lr=0.5, study="s"))


def test_a_run_that_is_done_says_what_came_of_it(done):
    assert status_line(done) == "#1 kaiming_normal s0  done: best val 80.00 % in epoch 1, test 79.00 %"
    assert status_line(replace(done, at_chance=1)).endswith("(stayed at chance)")


def test_a_run_that_starts_says_where_and_one_that_failed_says_why(done):
    running = replace(done, status="running", device="cuda:0")
    assert status_line(running) == "#1 kaiming_normal s0  started on cuda:0"
    failed = replace(done, status="failed", error="out of memory")
    assert status_line(failed) == "#1 kaiming_normal s0  failed: out of memory"


def test_a_description_names_what_was_asked_for_and_leaves_out_what_is_not_known(done):
    lines = describe(done).splitlines()
    assert "asked for: init=kaiming_normal, lr=0.5" in lines
    assert "study: s" in lines
    assert not any(line.startswith(("source run", "device")) for line in lines)


def test_the_table_of_runs_tells_a_source_from_the_runs_that_waited_for_it(done):
    rows = [done.summary(), replace(done, name="source digits 0-4").summary()]
    method = next(column for column in run_columns(rows) if column.key == "method")
    assert [method.cell(row) for row in rows] == ["kaiming_normal", "kaiming_normal (source digits 0-4)"]
