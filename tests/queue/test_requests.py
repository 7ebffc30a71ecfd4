import pytest

from agopconsole.errors import RequestError
from agopconsole.queue import requests
from agopconsole.queue.identity import process_owner
from agopconsole.spec import RunSpec
from agopconsole.store import Owner

GONE = Owner("elsewhere", "boot", 1, 0.0)


def status(store, run_id):
    return store.run(run_id).status


def test_a_missing_file_is_refused():
    with pytest.raises(RequestError, match=r"no such file"):
        requests.check([RunSpec.parse({"init": "nfm", "source": "missing.pt"})])


def test_a_run_is_found_in_its_own_study(store, queue_run):
    run_id = queue_run(study="a", epochs=2)
    spec = store.run(run_id).request
    assert requests.find(store, spec) == run_id
    assert requests.find(store, RunSpec.parse({"lr": 0.005, "epochs": 2, "study": "b"})) is None


@pytest.mark.parametrize(
    ("end", "diverged", "found"),
    [("done", False, True), ("failed", True, True), ("failed", False, False), ("cancelled", False, False)],
)
def test_what_has_no_result_is_not_found(store, queue_run, end, diverged, found):
    run_id = queue_run(study="a")
    store.finish(run_id, end, diverged=diverged)
    assert (requests.find(store, store.run(run_id).request) == run_id) is found


def test_a_source_serves_every_study(store, queue_run):
    waiting = store.run(queue_run(init="nfm", source="dataset:digits", study="a"))
    again = RunSpec.parse({"init": "agop", "source": "dataset:digits", "study": "b"})
    assert requests.find_or_submit(store, again.source_run()) == waiting.source_run


def test_sources_of_sources_are_collected(store, queue_run):
    first = queue_run()
    second = queue_run(init="nfm", source=f"run:{first}")
    third = queue_run(init="nfm", source=f"run:{second}")
    assert requests.with_sources(store, [third]) == {first, second, third}


def test_a_queued_run_is_cancelled_at_once(store, queue_run):
    run_id = queue_run()
    requests.cancel(store, run_id)
    assert status(store, run_id) == "cancelled"
    with pytest.raises(RequestError, match="cancelled already"):
        requests.cancel(store, run_id)


def test_a_running_run_is_left_to_its_worker(store, queue_run):
    run_id = queue_run()
    store.claim(process_owner())
    requests.cancel(store, run_id)
    assert status(store, run_id) == "running"
    assert store.run(run_id).cancel_requested


def test_a_run_whose_worker_is_gone_is_cancelled_at_once(store, queue_run):
    run_id = queue_run()
    store.claim(Owner(process_owner().host, "an earlier boot", 1, 0.0))
    requests.cancel(store, run_id)
    assert status(store, run_id) == "cancelled"


def test_a_source_is_cancelled_with_the_last_run_that_waits_for_it(store, queue_run):
    one, other = (queue_run(init=init, source="dataset:digits") for init in ("nfm", "agop"))
    source = store.run(one).source_run
    requests.cancel_with_sources(store, one)
    assert (status(store, one), status(store, source)) == ("cancelled", "queued")
    requests.cancel_with_sources(store, other)
    assert (status(store, other), status(store, source)) == ("cancelled", "cancelled")
