"""What keeps the event loop from the next key: no reading of the store, and no collection of what is no garbage."""

import gc
import sqlite3
import threading
import weakref

import pytest
from helpers.console import console, press, until

from agopconsole.tui.collector import Collector
from agopconsole.tui.status_bar import StatusBar

SCREENS = ("n", "r", "m", "v", "question_mark", "e")


@pytest.fixture
def opened_by(monkeypatch):
    """The threads that have opened the store; a connection of SQLite serves no other thread than its own."""
    threads = []
    connect = sqlite3.connect

    def watched(*args, **options):
        assert options.get("check_same_thread", True)
        threads.append(threading.current_thread())
        return connect(*args, **options)

    monkeypatch.setattr(sqlite3, "connect", watched)
    return threads


async def test_no_screen_and_no_action_reads_the_store_on_the_loops_own_thread(demo, opened_by):
    async with console(demo) as pilot:
        for key in SCREENS:
            await press(pilot, key)
            await press(pilot, "escape")
        await press(pilot, "g", "home", "enter", "escape", "plus", "w", "w", "f5")
        await until(pilot, lambda: {thread.name for thread in opened_by} >= {"store reader", "errands"})
    assert threading.current_thread() not in opened_by


class Loop:
    """Garbage that only the collector finds."""

    def __init__(self):
        self.me = self


@pytest.fixture
def collector():
    usual = gc.get_threshold()
    collector = Collector()
    collector.begin()
    yield collector
    collector.end()
    assert gc.get_threshold() == usual


def test_what_lives_long_is_out_of_the_collectors_sight_and_later_garbage_is_not(collector):
    early = Loop()
    collector.spare(10)
    assert not any(one is early for one in gc.get_objects())
    late = Loop()
    gone = weakref.ref(late)
    del late
    gc.collect()
    assert gone() is None


def test_it_is_put_there_again_when_there_are_many_more_runs(collector):
    collector.spare(3000)
    more = [[] for _ in range(100)]
    collector.spare(5999)
    assert any(one is more for one in gc.get_objects())
    collector.spare(6000)
    assert not any(one is more for one in gc.get_objects())


def test_a_full_collection_that_is_due_is_made_in_a_pause(collector, monkeypatch):
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    gc.collect()
    for _ in range(10):
        gc.collect(1)
    old = Loop()
    gone = weakref.ref(old)
    gc.collect(1)
    del old
    collector.wait()
    now += 1.0
    collector.rest()
    assert gone() is not None
    now += 2.0
    collector.rest()
    assert gone() is None


async def test_a_key_puts_the_pause_off_and_the_end_of_the_console_gives_all_back(demo, monkeypatch):
    usual = gc.get_threshold()
    async with console(demo) as pilot:
        await until(pilot, lambda: gc.get_freeze_count() > 0)
        assert gc.get_threshold()[2] > usual[2]
        keys = []
        monkeypatch.setattr(pilot.app._collector, "wait", lambda: keys.append(1))
        await press(pilot, "down")
        assert keys
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == usual


async def test_the_status_line_is_drawn_anew_only_when_it_says_something_new(demo):
    async with console(demo) as pilot:
        bar = pilot.app.screen.query_one(StatusBar)
        drawn = bar.content
        bar.redraw()
        assert bar.content is drawn
        bar.show_trouble("gone")
        assert "gone" in bar.content.plain
