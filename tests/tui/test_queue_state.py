"""The state of the queue, and the line that words it."""

from dataclasses import replace

import pytest

from agopconsole.spec import RunSpec
from agopconsole.store import Store
from agopconsole.tui.queue_state import Queue, queue_state
from agopconsole.tui.status_bar import _state_line

NOW = "2026-01-01T12:00:00.000Z"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    with Store(tmp_path_factory.mktemp("store") / "runs.db", create=True) as store:
        return store.run(store.add_runs([RunSpec.parse({"epochs": 10})])[0])


def words(runs, room=200, seconds_ahead=None):
    return _state_line(queue_state(Queue.of(runs, seconds_ahead), NOW), room).plain


@pytest.fixture
def done(template):
    return replace(
        template,
        status="done",
        epoch=10,
        started_at="2026-01-01T11:00:00.000Z",
        ended_at="2026-01-01T11:10:00.000Z",
    )


@pytest.fixture
def running(template):
    return replace(
        template,
        status="running",
        epoch=5,
        started_at="2026-01-01T11:55:00.000Z",
        heartbeat_at="2026-01-01T11:59:50.000Z",
    )


def test_a_worker_is_alive_as_long_as_a_run_was_heard_of_lately(running):
    assert queue_state(Queue.of([running]), NOW).is_worked_on
    assert queue_state(Queue.of([running]), NOW).silent_seconds == 10
    silent = replace(running, heartbeat_at="2026-01-01T11:57:00.000Z")
    assert not queue_state(Queue.of([silent]), NOW).is_worked_on
    assert queue_state(Queue.of([silent, running]), NOW).is_worked_on
    assert words([silent]) == "● worker silent for 3 min · 1 running"


def test_the_time_left_is_that_of_the_epochs_to_come_shared_by_the_runs_at_work(template, done, running):
    assert queue_state(Queue.of([done, running, template], 900), NOW).remaining_seconds == 900
    assert queue_state(Queue.of([done, running, running, template], 1200), NOW).remaining_seconds == 600
    shown = words([done, running, template], seconds_ahead=900)
    assert shown == "● worker on · 1 running · 1 queued · 1 done · about 15 min left"


def test_without_a_worker_or_a_pace_no_time_is_promised(template, done, running):
    assert queue_state(Queue.of([done, template], 900), NOW).remaining_seconds is None
    assert queue_state(Queue.of([replace(running, epoch=0), template]), NOW).remaining_seconds is None


def test_who_waits_for_a_worker_is_told_that_there_is_none(template, done):
    assert words([done, template]) == "○ no worker · 1 queued · 1 done"
    assert words([done]) == "○ idle · 1 done"
    assert words([]) == "○ idle"


def test_diverged_is_not_merely_failed(template):
    failed = replace(template, status="failed")
    assert words([failed, replace(failed, diverged=1)]) == "○ idle · 1 diverged · 1 failed"


def test_with_little_room_the_least_urgent_goes_first(template, done, running):
    assert words([done, running, template], room=40, seconds_ahead=900) == "● worker on · 1 running · 1 queued"
