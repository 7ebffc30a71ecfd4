"""What keeps the event loop from the next key: no reading of the store, and no collection of what is no garbage."""

import gc
import sqlite3
import threading
import weakref

import pytest
from helpers.console import console, press, until

from agopconsole.tui.long_lived import LongLived
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
def long_lived():
    held = LongLived()
    yield held
    held.release()


def test_what_lives_long_is_out_of_the_collectors_sight_and_later_garbage_is_not(long_lived):
    early = Loop()
    long_lived.mind(10)
    assert not any(one is early for one in gc.get_objects())
    late = Loop()
    gone = weakref.ref(late)
    del late
    gc.collect()
    assert gone() is None


def test_it_is_done_again_when_there_are_many_more_runs(long_lived):
    long_lived.mind(3000)
    more = [[] for _ in range(100)]
    long_lived.mind(5999)
    assert any(one is more for one in gc.get_objects())
    long_lived.mind(6000)
    assert not any(one is more for one in gc.get_objects())


async def test_the_collector_gets_all_back_with_the_end_of_the_console(demo):
    async with console(demo) as pilot:
        await until(pilot, lambda: gc.get_freeze_count() > 0)
    assert gc.get_freeze_count() == 0


async def test_the_status_line_is_drawn_anew_only_when_it_says_something_new(demo):
    async with console(demo) as pilot:
        bar = pilot.app.screen.query_one(StatusBar)
        drawn = bar.content
        bar.redraw()
        assert bar.content is drawn
        bar.show_trouble("gone")
        assert "gone" in bar.content.plain
