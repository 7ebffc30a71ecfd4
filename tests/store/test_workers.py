from helpers.stored_runs import OWNER

from agopconsole.store import Owner

OTHER = Owner("there", "boot", 2, 5.0)


def test_workers_are_listed_from_the_first_until_they_say_goodbye(store):
    first = store.register_worker(OWNER, devices=["cuda:0", "cpu"], slots=2)
    second = store.register_worker(OTHER, devices=["auto"], slots=1)
    assert [(w.id, w.owner, w.devices, w.slots) for w in store.workers()] == [
        (first, OWNER, ("cuda:0", "cpu"), 2),
        (second, OTHER, ("auto",), 1),
    ]
    store.forget_workers([first])
    assert [worker.owner for worker in store.workers()] == [OTHER]
    store.forget_workers([first, second])
    assert store.workers() == []


def test_a_worker_that_registers_again_is_the_same_one(store):
    first = store.register_worker(OWNER, devices=["cpu"], slots=1)
    assert store.register_worker(OWNER, devices=["cpu"], slots=4) == first
    (worker,) = store.workers()
    assert worker.slots == 4


def test_a_heartbeat_is_that_of_one_worker(store):
    ids = [store.register_worker(owner, devices=["cpu"], slots=1) for owner in (OWNER, OTHER)]
    store._connection.execute("UPDATE workers SET heartbeat_at = '2000'")
    store.heartbeat([], ids[1])
    assert [worker.heartbeat_at > "2000" for worker in store.workers()] == [False, True]
