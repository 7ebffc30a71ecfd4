import subprocess
import sys
import threading
from collections import Counter

import pytest
from helpers.stored_runs import OWNER, make_epoch

from agopconsole.errors import RequestError
from agopconsole.metrics import StepMetrics
from agopconsole.spec import RunSpec
from agopconsole.store import Owner, Store
from agopconsole.store.queue import MAX_DEATHS, NEXT_QUEUED

CLAIM_ALL = """
import sys
from pathlib import Path
from agopconsole.store import Owner, Store
with Store(Path(sys.argv[1])) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    while run := store.claim(Owner("here", "boot", int(sys.argv[2]), 0.0)):
        print(run.id)
"""


def add(store, count=1, **fields):
    return store.add_runs([RunSpec.parse({"seed": seed, **fields}) for seed in range(count)])


def add_with_source(store):
    """A run that waits for its source; returns both ids, the source's first."""
    (run_id,) = store.add_runs([RunSpec.parse({"init": "nfm", "source": "dataset:digits"})])
    return store.run(run_id).source_run, run_id


def statuses(store, *ids):
    return [store.run(run_id).status for run_id in ids]


def test_runs_are_claimed_oldest_first(store):
    ids = add(store, 3)
    assert [store.claim(OWNER).id for _ in ids] == ids
    assert store.claim(OWNER) is None


def test_a_claim_says_whose_it_is(store):
    add(store)
    run = store.claim(Owner("box", "boot-7", 42, 123.5))
    assert (run.status, run.attempts, run.owner) == ("running", 1, Owner("box", "boot-7", 42, 123.5))
    assert run.started_at == run.heartbeat_at is not None


def test_a_claim_can_be_limited_to_some_runs(store):
    first, second = add(store, 2)
    assert store.claim(OWNER, only=[second]).id == second
    assert store.claim(OWNER, only=[second]) is None
    assert store.claim(OWNER, only=[]) is None
    assert statuses(store, first) == ["queued"]


@pytest.mark.parametrize("only", [None, "[1, 2]"])
@pytest.mark.parametrize("devices", [None, '["cpu"]'])
def test_the_next_run_is_read_off_the_index_in_its_order(store, only, devices):
    add(store, 50)
    store._connection.execute("ANALYZE")
    rows = store._connection.execute(f"EXPLAIN QUERY PLAN {NEXT_QUEUED}", {"chosen": only, "asked": devices})
    plan = [row["detail"] for row in rows]
    assert plan[0] == "SEARCH runs USING INDEX idx_runs_status_priority_id (status=?)"
    assert not [step for step in plan if "ORDER BY" in step or step.startswith("SCAN runs")]


def test_a_claim_reads_no_spec_behind_the_first_that_fits(store):
    add(store, 3, device="cpu")
    store._connection.execute("UPDATE runs SET spec = 'no JSON' WHERE id > 1")
    assert store.claim(OWNER, devices=("cpu", "auto")).id == 1


def test_processes_never_claim_one_run_twice(store):
    ids = add(store, 60)
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM_ALL, store.path, str(pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for pid in range(3)
    ]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    claimed = [int(line) for worker in workers for line in worker.communicate()[0].split()]
    assert Counter(claimed) == Counter(ids)
    assert {run.attempts for run in store.runs()} == {1}


def test_threads_never_claim_one_run_twice(store):
    ids = add(store, 40)
    claimed = []

    def claim_all():
        with Store(store.path) as own:
            while run := own.claim(OWNER):
                claimed.append(run.id)

    threads = [threading.Thread(target=claim_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == ids


def test_a_waiting_run_is_queued_once_its_source_is_done(store):
    source, run_id = add_with_source(store)
    assert store.claim(OWNER).id == source
    assert store.claim(OWNER) is None
    store.finish(source, "done")
    assert statuses(store, source, run_id) == ["done", "queued"]
    assert store.claim(OWNER).id == run_id


def test_a_waiting_run_fails_with_its_source_and_says_why(store):
    source, run_id = add_with_source(store)
    store.claim(OWNER)
    store.finish(source, "failed", "the loss is nan", diverged=True)
    run = store.run(run_id)
    assert (run.status, run.error) == ("failed", f"its source, run #{source}, failed: the loss is nan")
    assert (run.diverged, run.ended_at is not None) == (0, True)


def test_a_chain_of_waiting_runs_fails_as_a_whole(store):
    (first,) = add(store)
    (second,) = store.add_runs([RunSpec.parse({"init": "nfm", "source": f"run:{first}"})])
    (third,) = store.add_runs([RunSpec.parse({"init": "nfm", "source": f"run:{second}"})])
    store.claim(OWNER)
    store.finish(first, "failed", "out of memory")
    assert statuses(store, second, third) == ["failed", "failed"]


def test_the_first_end_of_a_run_stands(store):
    add(store)
    run = store.claim(OWNER)
    store.finish(run.id, "failed", "the loss is nan", diverged=True)
    ended = store.run(run.id)
    store.finish(run.id, "done")
    store.finish(run.id, "failed", "its process died")
    assert store.run(run.id) == ended
    assert (ended.status, ended.error, ended.flags) == ("failed", "the loss is nan", ["diverged"])


def test_a_run_whose_process_died_is_queued_again(store):
    add(store)
    run = store.claim(OWNER)
    store.give_back(run, "its process died")
    assert statuses(store, run.id) == ["queued"]
    assert "its process died" in store.logs(run.id)[-1].message
    again = store.claim(OWNER)
    assert (again.id, again.attempts, again.started_at) == (run.id, 2, run.started_at)


def test_a_run_whose_process_dies_again_and_again_fails(store):
    (run_id,) = add(store)
    for _ in range(MAX_DEATHS):
        assert store.run(run_id).status == "queued"
        store.give_back(store.claim(OWNER), "its process died")
    run = store.run(run_id)
    assert (run.status, run.attempts) == ("failed", MAX_DEATHS)
    assert "its process died" in run.error


def test_a_run_that_gets_on_may_die_more_often(store):
    (run_id,) = add(store)
    for epoch in range(1, MAX_DEATHS + 2):
        run = store.claim(OWNER)
        store.record_epoch(run_id, make_epoch(epoch))
        store.give_back(run, "its process died")
    assert statuses(store, run_id) == ["queued"]


def die(store, *, epochs=(), steps=()):
    """An attempt that records so much and dies."""
    run = store.claim(OWNER)
    for epoch in epochs:
        store.record_epoch(run.id, make_epoch(epoch))
    store.record_steps(run.id, [StepMetrics(step, 1, 1.0, 1.0, 0.1) for step in steps])
    store.give_back(run, "its process was killed")
    return store.run(run.id)


def test_kills_from_outside_never_fail_a_run_that_gets_further_each_time(store):
    add(store)
    for furthest in range(1, 3 * MAX_DEATHS):
        run = die(store, steps=range(1, furthest + 1))  # each in the first epoch, which is begun anew
        assert (run.status, run.deaths) == ("queued", 1)


def test_what_is_recorded_again_on_the_way_to_the_same_place_is_no_progress(store):
    add(store)
    seen = [die(store, epochs=(1, 2, 3), steps=range(1, 8)).deaths]
    seen += [die(store, epochs=(1, 2, 3), steps=range(1, 8 - i)).deaths for i in range(MAX_DEATHS - 1)]
    assert seen == list(range(1, MAX_DEATHS + 1))
    assert store.runs()[0].error == f"its process was killed, {MAX_DEATHS} times in epoch 4"


def test_an_old_claim_gives_nothing_back(store):
    add(store)
    old = store.claim(OWNER)
    store.give_back(old, "its process died")
    new = store.claim(OWNER)
    store.give_back(old, "its process died")
    assert statuses(store, new.id) == ["running"]
    store.finish(new.id, "done")
    store.give_back(new, "its process died")
    assert statuses(store, new.id) == ["done"]


def test_a_run_that_was_cancelled_while_its_process_died_is_not_tried_again(store):
    add(store)
    run = store.claim(OWNER)
    store.request_cancel(run.id)
    store.give_back(run, "its process died")
    assert statuses(store, run.id) == ["cancelled"]


def test_a_heartbeat_reaches_the_runs_that_it_names(store):
    first, second = add(store, 2)
    store.claim(OWNER)
    store.claim(OWNER)
    with store._connection:
        store._connection.execute("UPDATE runs SET heartbeat_at = '2000'")
    store.heartbeat([second])
    assert store.run(first).heartbeat_at == "2000"
    assert store.run(second).heartbeat_at > "2000"


def test_a_run_that_has_not_begun_is_cancelled_at_once(store):
    (run_id,) = store.add_runs([RunSpec.parse({})])
    store.request_cancel(run_id)
    assert store.run(run_id).status == "cancelled"
    with pytest.raises(RequestError, match="cancelled already"):
        store.request_cancel(run_id)


def test_a_running_run_is_asked_to_stop(store):
    store.add_runs([RunSpec.parse({})])
    run = store.claim(OWNER)
    store.request_cancel(run.id)
    assert (store.run(run.id).status, store.run(run.id).cancel_requested) == ("running", 1)


def test_cancelling_a_source_fails_what_waits_for_it(store):
    source, run_id = add_with_source(store)
    store.request_cancel(source)
    assert (store.run(run_id).status, store.run(run_id).error) == (
        "failed",
        f"its source, run #{source}, was cancelled",
    )
