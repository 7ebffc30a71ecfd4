"""What a user asks of runs on the screen, and what becomes of it in the store."""

import json

import pytest
from helpers.console import console, press, table, text, until
from helpers.demo_store import OWNER

from agopconsole.analysis.command_line import command_line
from agopconsole.queue.actions import perform, remove, toggle_queue
from agopconsole.spec import RunSpec
from agopconsole.store import Store
from agopconsole.tui.commands import commands
from agopconsole.tui.dialogs import ConfirmScreen, PromptScreen
from agopconsole.tui.frame import screen_text
from agopconsole.tui.main_screen import MainScreen
from agopconsole.tui.run_actions_screen import RunActionsScreen
from agopconsole.tui.run_screen import RunScreen


def said(pilot):
    return " ".join(str(notice.message) for notice in pilot.app._notifications)


def states(path):
    with Store(path) as store:
        return {run.id: run.status for run in store.runs()}


@pytest.fixture
def queued(tmp_path):
    with Store(tmp_path / "runs.db", create=True) as store:
        store.add_runs([RunSpec.parse({"seed": seed, "study": "s"}) for seed in range(4)])
    return tmp_path / "runs.db"


async def test_pause_resume_cancel_and_again_on_one_run(queued):
    async with console(queued) as pilot:
        await press(pilot, "g")
        for key, status in (("p", "paused"), ("u", "queued"), ("c", "cancelled"), ("R", "queued")):
            await pilot.press(key)
            await until(pilot, lambda status=status: table(pilot).current().run.status == status)
        assert states(queued) == dict.fromkeys(range(1, 5), "queued")
        assert "cancelled: #4 kaiming_uniform s3" in said(pilot)


async def test_an_action_is_for_the_selection(queued):
    async with console(queued) as pilot:
        await press(pilot, "g", "space", "down", "space", "p")
        await until(pilot, lambda: list(states(queued).values()).count("paused") == 2)
        assert states(queued) == {1: "queued", 2: "paused", 3: "queued", 4: "paused"}
        await press(pilot, "a", "c")
        await until(pilot, lambda: set(states(queued).values()) == {"cancelled"})


async def test_plus_and_minus_change_who_goes_first(queued):
    async with console(queued) as pilot:
        await press(pilot, "g", "plus", "plus", "minus")
        await until(pilot, lambda: table(pilot).current().run.priority == 1)
    with Store(queued) as store:
        assert store.claim(OWNER).id == 4


async def test_remove_asks_and_no_means_no(queued):
    async with console(queued) as pilot:
        await press(pilot, "g", "d")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("n")
        assert len(states(queued)) == 4
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: sorted(states(queued)) == [1, 2, 3])


async def test_export_writes_all_that_is_known(demo, tmp_path):
    async with console(demo) as pilot:
        await press(pilot, "g", "end", "e")
        await until(pilot, lambda: isinstance(pilot.app.screen, PromptScreen))
        pilot.app.screen.query_one("Input").value = str(tmp_path / "out.json")
        await pilot.press("enter")
        await until(pilot, lambda: "written to" in said(pilot))
    [run] = json.loads((tmp_path / "out.json").read_text())
    assert (run["id"], len(run["history"]), run["spec"]["init"]) == (1, 20, "kaiming_uniform")


async def test_a_file_whose_kind_is_unknown_is_refused(demo, tmp_path):
    async with console(demo) as pilot:
        await press(pilot, "g", "e")
        await until(pilot, lambda: isinstance(pilot.app.screen, PromptScreen))
        pilot.app.screen.query_one("Input").value = str(tmp_path / "out.xls")
        await pilot.press("enter")
        await until(pilot, lambda: "ends in none of .json, .csv, .md" in said(pilot))


async def test_copy_gives_the_command_line(demo):
    async with console(demo) as pilot:
        await press(pilot, "g", "end", "y")
        assert pilot.app.clipboard == "agopconsole run --study digits-transfer --queue"


def test_the_command_line_asks_for_the_same_run():
    spec = RunSpec.parse({"init": "kaiming_nfm", "source": "imagenet", "name": "it's mine", "lr": 0.5})
    assert command_line(spec) == ("agopconsole run --init kaiming_nfm --lr 0.5 --name 'it'\"'\"'s mine' --queue")


async def test_w_pauses_the_queue_and_says_so_until_it_goes_on(queued):
    async with console(queued) as pilot:
        await pilot.press("w")
        await until(pilot, lambda: "queue paused" in text(pilot, "#status"))
        await pilot.press("w")
        await until(pilot, lambda: "queue paused" not in text(pilot, "#status"))


async def test_what_cannot_be_done_is_said(demo):
    async with console(demo) as pilot:
        await press(pilot, "g", "end", "p")
        await until(pilot, lambda: "is not queued, waiting or running" in said(pilot))


async def test_without_a_run_an_action_says_so(store, tmp_path):
    async with console(tmp_path / "runs.db") as pilot:
        for key in "cedy":
            await pilot.press(key)
        await until(pilot, lambda: said(pilot).count("there is no run to do that with") == 4)


# On the screen of one run


async def opened(pilot, run_id):
    pilot.app.open_screen(RunScreen(run_id))
    await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen) and pilot.app.caught_up)


def facts(pilot):
    return text(pilot, "#spec").split("\n")


async def test_the_open_run_is_paused_resumed_cancelled_and_queued_again_and_no_other(queued):
    async with console(queued) as pilot:
        await opened(pilot, 2)
        for key, status in (("p", "paused"), ("u", "queued"), ("c", "cancelled"), ("R", "queued")):
            await pilot.press(key)
            await until(pilot, lambda status=status: f"{status}, epoch 0" in text(pilot, "#heading"))
            assert states(queued) == {**dict.fromkeys((1, 3, 4), "queued"), 2: status}
        assert "queued again: #2 kaiming_uniform s1" in said(pilot)


async def test_plus_and_minus_change_when_the_open_run_starts(queued):
    async with console(queued) as pilot:
        await opened(pilot, 3)
        for key, shown in (("plus", "1"), ("plus", "2"), ("minus", "1")):
            await pilot.press(key)
            await until(pilot, lambda shown=shown: ["priority", shown] in map(str.split, facts(pilot)))
    with Store(queued) as store:
        assert store.claim(OWNER).id == 3


async def test_the_open_run_is_exported_and_its_command_line_copied(demo, tmp_path):
    async with console(demo) as pilot:
        await opened(pilot, 4)
        await pilot.press("y")
        with Store(demo) as store:
            assert pilot.app.clipboard == command_line(store.run(4).request)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(pilot.app.screen, PromptScreen))
        assert pilot.app.screen.query_one("Input").value == "run-4.json"
        pilot.app.screen.query_one("Input").value = str(tmp_path / "out.json")
        await pilot.press("enter")
        await until(pilot, lambda: (tmp_path / "out.json").exists())
    assert [run["id"] for run in json.loads((tmp_path / "out.json").read_text())] == [4]


async def test_removing_the_open_run_asks_and_goes_back_to_the_table(queued):
    async with console(queued) as pilot:
        await opened(pilot, 2)
        for answer in "ny":
            await pilot.press("d")
            await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
            await pilot.press(answer)
            if answer == "n":
                await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        await until(pilot, lambda: isinstance(pilot.app.screen, MainScreen))
        assert sorted(states(queued)) == [1, 3, 4]
        assert "removed: #2 kaiming_uniform s1" in said(pilot)


async def test_what_cannot_be_done_to_the_open_run_is_said_and_so_is_that_it_is_gone(queued):
    async with console(queued) as pilot:
        await opened(pilot, 2)
        await pilot.press("u")
        await until(pilot, lambda: "#2 kaiming_uniform s1 is not paused" in said(pilot))
        with Store(queued) as store:
            store.remove([2])
        await until(pilot, lambda: "no longer in the store" in text(pilot, "#heading"))
        for key in "cedy":
            await pilot.press(key)
        await until(pilot, lambda: said(pilot).count("there is no run to do that with") == 4)


async def test_the_run_screen_lists_every_action_of_the_table(queued):
    async with console(queued) as pilot:
        actions = {binding.action for binding in RunActionsScreen.BINDINGS}
        on_the_table = {(c.keys, c.title, c.about) for c in commands(pilot.app.screen) if c.action in actions}
        assert len(on_the_table) == len(actions)
        await opened(pilot, 2)
        assert {(c.keys, c.title, c.about) for c in commands(pilot.app.screen) if c.action in actions} == on_the_table
        assert "c Cancel" in screen_text(pilot.app).split("\n")[-1]


# Against the store alone


def test_only_the_runs_that_it_is_for_are_asked(store):
    store.add_runs([RunSpec.parse({"seed": seed}) for seed in range(3)])
    store.request_cancel(1)
    assert (
        perform(store, "pause", store.runs()) == "paused: 2 runs; 1 of the others was not queued, waiting or running"
    )


def test_a_done_run_is_queued_anew_and_a_failed_one_goes_on(store):
    from helpers.stored_runs import add_done, add_failed

    add_done(store, 80.0)
    add_failed(store, diverged=False, seed=1)
    perform(store, "retry", store.runs())
    assert [(run.id, run.status) for run in store.runs()] == [(1, "done"), (2, "queued"), (3, "queued")]
    assert store.run(3).fingerprint == store.run(1).fingerprint


def test_removing_takes_the_files_too(store):
    store.add_runs([RunSpec.parse({})])
    store.run_files(1).mkdir(parents=True)
    assert remove(store, store.runs()) == "removed: #1 kaiming_uniform s0"
    assert not store.run_files(1).exists()


def test_the_queue_is_paused_and_let_go(store):
    assert toggle_queue(store).startswith("the queue is paused")
    assert store.queue_paused()
    assert toggle_queue(store) == "the queue goes on"
