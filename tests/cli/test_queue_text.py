import os

from agopconsole.cli.doctor import _store
from agopconsole.cli.queue_text import queue_line
from agopconsole.cli.settings import Settings
from agopconsole.queue.identity import process_owner
from agopconsole.spec import RunSpec
from agopconsole.store import Owner


def add(store, count=1):
    store.add_runs([RunSpec.parse({"seed": seed}) for seed in range(count)])


def work(store, **options):
    owner = process_owner()
    store.register_worker(owner, **{"devices": ["cpu"], "slots": 1, **options})
    return f"worker {os.getpid()} on {owner.host}"


def test_nothing_to_do_and_nobody_there_is_not_worth_a_word(store):
    assert queue_line(store) == ("", False)


def test_queued_runs_without_a_worker_want_one(store):
    add(store)
    assert queue_line(store) == ("1 run is queued and there is no worker; `agopconsole worker` is one", True)
    add(store, 2)
    assert queue_line(store)[0].startswith("3 runs are queued")


def test_who_works_is_named_and_who_is_gone_is_not(store):
    add(store)
    store.register_worker(Owner(process_owner().host, "an earlier boot", 1, 0.0), devices=["cpu"], slots=1)
    me = work(store, devices=["cuda:0", "cuda:1"], slots=2)
    assert queue_line(store) == (f"at work: {me} (cuda:0, cuda:1 x 2)", False)


def test_a_paused_queue_is_said_before_all_else(store):
    me = work(store)
    store.pause_queue()
    paused = "the queue is paused; `runs resume --queue` has it go on"
    assert queue_line(store) == (f"{paused}; at work: {me} (cpu)", True)


def test_runs_list_says_it_beside_the_table(cli, store):
    add(store)
    store.pause_queue()
    status, out, err = cli("runs", "list")
    assert (status, "queued" in out) == (0, True)
    assert err.startswith("the queue is paused")


def test_doctor_notes_it(store):
    add(store)
    found = [finding for finding in _store(Settings(store.path, None)) if finding.what == "queue"]
    assert [(finding.state, "there is no worker" in finding.text) for finding in found] == [("note", True)]
