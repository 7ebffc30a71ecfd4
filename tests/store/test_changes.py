import pytest
from helpers.stored_runs import OWNER, add_done, make_epoch

from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec


def add(store, **fields):
    (run_id,) = store.add_runs([RunSpec.parse(fields)])
    return run_id


def add_with_source(store):
    """A run that waits for its source; both ids, the source's first."""
    run_id = add(store, init="nfm", source="dataset:digits")
    return store.run(run_id).source_run, run_id


def status(store, run_id):
    return store.run(run_id).status


def test_a_running_run_pauses_once_its_worker_puts_it_down(store):
    run = store.claim(OWNER, only=[add(store)])
    store.request_pause(run.id)
    assert (status(store, run.id), store.run(run.id).stop_requested) == ("running", True)
    store.put_down(run)
    assert (status(store, run.id), store.run(run.id).stop_requested) == ("paused", False)


def test_one_that_is_about_to_pause_goes_on_where_it_is_resumed_in_time(store):
    run = store.claim(OWNER, only=[add(store)])
    store.request_pause(run.id)
    store.resume(run.id)
    store.put_down(run)
    assert status(store, run.id) == "queued"


def test_a_paused_run_comes_back_to_where_it_would_be_now(store):
    source, run_id = add_with_source(store)
    store.request_pause(run_id)
    store.resume(run_id)
    assert status(store, run_id) == "waiting"
    store.request_pause(run_id)
    store.claim(OWNER, only=[source])
    store.finish(source, "done")
    assert status(store, run_id) == "paused"
    store.resume(run_id)
    assert status(store, run_id) == "queued"


def test_a_paused_run_whose_source_came_to_nothing_says_what_to_do_first(store):
    source, run_id = add_with_source(store)
    store.request_pause(run_id)
    store.request_cancel(source)
    with pytest.raises(RequestError, match=rf"run #{source}, is cancelled; `runs retry {source}` first"):
        store.resume(run_id)


def test_a_source_that_is_tried_again_takes_those_along_that_failed_with_it_alone(store):
    source, run_id = add_with_source(store)
    store.request_cancel(source)
    assert status(store, run_id) == "failed"
    store.retry(source)
    assert (status(store, source), status(store, run_id), store.run(run_id).error) == ("queued", "waiting", None)


def test_a_retry_keeps_what_there_is_or_forgets_it(store):
    run = store.claim(OWNER, only=[add(store)])
    store.record_epoch(run.id, make_epoch())
    store.finish(run.id, "failed", "out of memory")
    store.retry(run.id)
    assert (store.run(run.id).epoch, store.run(run.id).error, len(store.history(run.id))) == (1, None, 1)
    store.request_cancel(run.id)
    store.retry(run.id, from_scratch=True)
    again = store.run(run.id)
    assert (again.epoch, again.best_val_accuracy, again.started_at, store.history(run.id)) == (0, None, None, [])
    assert store.logs(run.id)[-1].message == "to be tried again from scratch"


def test_higher_priorities_are_claimed_first(store):
    first, second, third = (add(store, seed=seed) for seed in range(3))
    store.set_priority(third, 5)
    store.set_priority(first, -1)
    assert [store.claim(OWNER).id for _ in range(3)] == [third, second, first]


def test_only_a_run_that_has_not_begun_is_edited(store):
    run_id = add(store)
    store.replace_spec(run_id, RunSpec.parse({"lr": 0.5}))
    assert (store.run(run_id).lr, store.run(run_id).request.lr) == (0.5, 0.5)
    store.put_down(store.claim(OWNER))
    with pytest.raises(RequestError, match="queued and has begun; only a run that has not begun can be edited"):
        store.replace_spec(run_id, RunSpec.parse({"lr": 0.25}))
    assert store.run(run_id).lr == 0.5


def test_runs_are_removed_with_all_they_yielded_or_none_is(store):
    source, run_id = add_with_source(store)
    done = add_done(store, 50.0)
    with pytest.raises(RequestError, match=rf"run #{source} is the source of #{run_id}; remove #{run_id} with it"):
        store.remove([done, source])
    assert {run.id for run in store.runs()} == {source, run_id, done}
    store.remove([done, source, run_id])
    assert (store.runs(), store.history(done)) == ([], [])
    assert add(store) == done + 1  # never the id of another


def test_a_running_run_is_not_removed(store):
    run = store.claim(OWNER, only=[add(store)])
    with pytest.raises(RequestError, match="is running; cancel it first"):
        store.remove([run.id])


def test_a_paused_queue_gives_out_only_what_is_asked_for_by_its_id(store):
    first, second = add(store), add(store, seed=1)
    store.pause_queue()
    assert store.claim(OWNER) is None
    assert store.claim(OWNER, only=[second]).id == second
    store.pause_queue(False)
    assert store.claim(OWNER).id == first


def test_a_command_is_due_from_the_end_of_its_run_until_someone_takes_it(store):
    run_id = add(store)
    store.set_on_finish([run_id], "true")
    assert store.take_due_command() is None
    store.request_cancel(run_id)
    store.set_on_finish([run_id], "too late")
    assert store.take_due_command([run_id + 1]) is None
    assert store.take_due_command().on_finish == "true"
    assert store.take_due_command() is None


def test_a_run_that_is_tried_again_has_its_command_run_again(store):
    run_id = add(store)
    store.set_on_finish([run_id], "true")
    store.request_cancel(run_id)
    store.retry(run_id)  # before anyone took the command
    assert store.take_due_command() is None
    store.request_cancel(run_id)
    assert store.take_due_command().id == run_id
