"""The whole table: every way from one status to another that is there is taken, and no other."""

import pytest
from helpers.stored_runs import OWNER

from agopconsole.catalogue import ENDED, STATUSES
from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec
from agopconsole.store.transitions import TRANSITIONS, before

PAIRS = [(earlier, later) for earlier in STATUSES for later in STATUSES]


@pytest.fixture
def run_in(store):
    """A run in a status, put there past all rules."""

    def run_in(status):
        (run_id,) = store.add_runs([RunSpec.parse({})])
        store._connection.execute("UPDATE runs SET status = ? WHERE id = ?", (status, run_id))
        return run_id

    return run_in


def test_every_status_has_its_row_and_what_is_done_stays_done():
    assert set(TRANSITIONS) == set(STATUSES)
    assert TRANSITIONS["done"] == set()
    assert not any(status in TRANSITIONS[status] for status in STATUSES)


@pytest.mark.parametrize(("earlier", "later"), PAIRS)
def test_a_run_changes_its_status_by_the_table_alone(store, run_in, earlier, later):
    run_id = run_in(earlier)
    allowed = later in TRANSITIONS[earlier]
    assert store._move(run_id, later) is allowed
    assert store.run(run_id).status == (later if allowed else earlier)
    assert (earlier in before(later)) is allowed


@pytest.mark.parametrize("end", ENDED)
@pytest.mark.parametrize("status", STATUSES)
def test_an_end_comes_only_where_one_may(store, run_in, status, end):
    run_id = run_in(status)
    store.finish(run_id, end)
    assert store.run(run_id).status == (end if end in TRANSITIONS[status] else status)


@pytest.mark.parametrize("status", STATUSES)
def test_each_request_is_granted_or_refused_and_changes_nothing_then(store, run_in, status):
    to = {
        "request_cancel": {
            "queued": "cancelled",
            "waiting": "cancelled",
            "paused": "cancelled",
            "running": "running",
        },
        "request_pause": {"queued": "paused", "waiting": "paused", "paused": "paused", "running": "running"},
        "resume": {"paused": "queued"},
        "retry": {"failed": "queued", "cancelled": "queued"},
    }
    for request, wanted in to.items():
        run_id = run_in(status)
        if status in wanted:
            getattr(store, request)(run_id)
        else:
            with pytest.raises(RequestError, match=f"run #{run_id} is {status}"):
                getattr(store, request)(run_id)
        assert store.run(run_id).status == wanted.get(status, status)


@pytest.mark.parametrize("status", STATUSES)
def test_only_what_is_queued_is_claimed(store, run_in, status):
    run_id = run_in(status)
    claimed = store.claim(OWNER, only=[run_id])
    assert (claimed is not None) is (status == "queued")


@pytest.mark.parametrize("status", [status for status in STATUSES if status != "running"])
def test_a_claim_that_is_over_ends_nothing(store, run_in, status):
    run = store.run(run_in(status))
    store.give_back(run, "its process is gone")
    store.put_down(run)
    assert not store.adopt(run, OWNER)
    assert store.run(run.id).status == status
