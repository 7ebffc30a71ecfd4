import pytest

from agopconsole.queue import slots as slots_module
from agopconsole.queue.devices import ANY, CPU, Device, Gpu
from agopconsole.queue.slots import READ_SECONDS, Place, Slots

FIRST, SECOND = Device("cuda:0", "a"), Device("cuda:1", "b")


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on when told to."""

    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(slots_module, "time", clock)
    return clock


def slots_of(*devices, each=1, free=(100, 100)):
    memory = dict(zip("ab", free, strict=True))
    slots = Slots(devices, each, gpus=lambda: [Gpu(i, uuid, 100, memory[uuid]) for i, uuid in enumerate("ab")])
    return slots, memory


def free(slots):
    return [place.device.name for place in slots.free()]


def test_each_device_takes_its_number_of_runs_the_emptier_one_first(clock):
    slots, _ = slots_of(FIRST, SECOND, each=2)
    assert free(slots) == ["cuda:0", "cuda:1"]
    slots.take(1, Place(FIRST))
    clock.now += 2 * READ_SECONDS
    assert free(slots) == ["cuda:1", "cuda:0"]
    slots.take(2, Place(FIRST))
    assert free(slots) == ["cuda:1"]
    slots.leave(1)
    clock.now += 2 * READ_SECONDS
    assert free(slots) == ["cuda:1", "cuda:0"]


def test_a_run_starts_only_where_half_its_share_of_the_memory_is_free(clock):
    slots, memory = slots_of(FIRST, SECOND, free=(49, 50))
    assert free(slots) == ["cuda:1"]
    memory["a"] = 50
    assert free(slots) == ["cuda:1"]  # the driver is not asked again so soon
    clock.now += READ_SECONDS
    assert free(slots) == ["cuda:0", "cuda:1"]
    shared, _ = slots_of(FIRST, each=4, free=(13, 0))
    assert free(shared) == ["cuda:0"]


def test_what_a_run_that_has_just_begun_will_take_is_set_aside(clock):
    slots, memory = slots_of(FIRST, each=2, free=(49, 0))
    assert free(slots) == ["cuda:0"]
    slots.take(1, Place(FIRST))
    assert free(slots) == []  # 24 are left beside the 25 that let the first begin
    memory["a"] = 24
    clock.now += READ_SECONDS
    assert free(slots) == []
    memory["a"] = 25
    clock.now += READ_SECONDS
    assert free(slots) == ["cuda:0"]


def test_runs_begin_together_where_there_is_memory_for_all(clock):
    slots, _ = slots_of(FIRST, each=3, free=(50, 0))
    for run in (1, 2, 3):
        assert free(slots) == ["cuda:0"]
        slots.take(run, Place(FIRST))
    assert free(slots) == []


def test_what_a_run_that_ended_held_is_free_at_once(clock):
    slots, memory = slots_of(FIRST, free=(100, 0))
    assert free(slots) == ["cuda:0"]
    slots.take(1, Place(FIRST))
    slots.leave(1)
    memory["a"] = 10
    assert free(slots) == []
    memory["a"] = 90
    clock.now += READ_SECONDS
    assert free(slots) == ["cuda:0"]


def test_a_gpu_that_has_fallen_off_the_bus_takes_nothing():
    slots = Slots([FIRST], 1, gpus=list)
    assert free(slots) == []


def test_a_run_goes_where_it_asks_to_go():
    slots, _ = slots_of(SECOND, FIRST, CPU)
    assert slots.accepts(FIRST) == ("auto", "cuda", "cuda:0")
    assert slots.accepts(SECOND) == ("auto", "cuda:1")
    assert slots.accepts(CPU) == ("cpu",)
    assert slots.accepted == ("auto", "cpu", "cuda", "cuda:0", "cuda:1")
    assert Slots([CPU], 1).accepts(CPU) == ("cpu", "auto")
    assert Slots([ANY], 1).accepts(ANY) is None
    assert Slots([ANY], 1).accepted is None


def test_runs_share_the_cores_of_the_processor(monkeypatch):
    monkeypatch.setattr(slots_module, "_cores", lambda: 8)
    assert [Slots([CPU], each).free()[0].threads for each in (1, 2, 3, 16)] == [None, 4, 2, 1]
    assert [slots_of(FIRST, CPU, each=each)[0].free()[0].threads for each in (1, 4)] == [None, 2]
    assert slots_of(FIRST, SECOND, CPU)[0].free()[0].threads == 4
