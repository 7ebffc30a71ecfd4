"""What Ray's part is done by a stand-in, in this process; benchmarks/ray_study.py has a cluster of its own."""

import importlib
import sys
from types import SimpleNamespace

import pytest
from helpers.fake_engine import ENGINE

from agopconsole.backend import events
from agopconsole.cli.entry import run
from agopconsole.errors import NoRoomError, RequestError, WorkError
from agopconsole.queue import worker as worker_module
from agopconsole.queue.ray_actor import Order, Trainer
from agopconsole.queue.ray_executor import RayExecutor
from agopconsole.queue.worker import Worker
from agopconsole.spec import RunSpec


class GoneError(Exception):
    """Ray's error for an actor that is gone."""


class FakeRay:
    """As much of Ray as is used, with one actor at a time, which trains when it is asked for its next message."""

    def __init__(self, gpus=0):
        self.exceptions = SimpleNamespace(RayError=GoneError)
        self.gpus = gpus
        self.options = []
        self.die_after = None

    def init(self, address=None, **_):
        if address == "nowhere":
            raise ConnectionError("Could not find any running Ray instance.\nmore")

    def cluster_resources(self):
        return {"CPU": 8.0, "GPU": float(self.gpus)}

    def nodes(self):
        return [{"Alive": True}, {"Alive": True}, {"Alive": False}]

    def remote(self, kind):
        def start():
            self.trainer = kind()
            call = SimpleNamespace(options=lambda **_: SimpleNamespace(remote=self.trainer.train))
            return SimpleNamespace(train=call, stop=SimpleNamespace(remote=self.trainer.stop))

        def options(**given):
            self.options.append(given)
            return SimpleNamespace(remote=start)

        return SimpleNamespace(options=options)

    def wait(self, generators, **_):
        return generators, []

    def get(self, message):
        if self.die_after is not None:
            self.die_after -= 1
        if self.die_after != 0:
            return message
        self.die_after = None
        raise GoneError("The actor died")

    def kill(self, actor):
        pass

    def shutdown(self):
        pass


@pytest.fixture
def ray(monkeypatch):
    ray = FakeRay()
    monkeypatch.setitem(sys.modules, "ray", ray)
    return ray


@pytest.fixture
def drain(store, ray, tmp_path, monkeypatch):
    monkeypatch.setattr(worker_module, "POLL_SECONDS", 0.01)

    def drain(**options):
        cluster = RayExecutor(None)
        with Worker(store, tmp_path / "data", engine=ENGINE, executor=cluster, slots=cluster.slots(1)) as worker:
            worker.run(drain=True, **options)

    return drain


def messages(store, run_id):
    return [line.message for line in store.logs(run_id)]


def test_a_run_on_the_cluster_leaves_what_one_here_leaves(store, queue_run, drain):
    run_id = queue_run()
    drain()
    record = store.run(run_id)
    assert (record.status, record.attempts, record.begun, record.test_accuracy) == ("done", 1, 1, 50.0)
    assert [epoch.epoch for epoch in store.history(run_id)] == [1, 2, 3]
    assert [step.step for step in store.steps(run_id)] == list(range(1, 16))
    assert messages(store, run_id) == ["getting ready"]
    assert (store.run_files(run_id) / "done.txt").read_text() == "3"
    assert record.provenance()["node"] == record.host


def test_it_starts_from_the_files_of_its_source(store, queue_run, drain):
    source = queue_run(epochs=1)
    run_id = queue_run(init="nfm", source=f"run:{source}", epochs=1)
    drain(only={source})
    (store.run_files(source) / "best.safetensors").write_bytes(b"weights")
    drain()
    (line,) = [line for line in messages(store, run_id) if line.startswith("started from")]
    assert line.endswith("/best.safetensors")
    assert str(store.files) not in line


@pytest.mark.parametrize(
    ("name", "error", "diverged"),
    [
        ("diverge", "diverged in epoch 2, step 1: the training loss is nan", 1),
        ("fail", "the data set is not there", 0),
        ("break", "ValueError: a bug", 0),
    ],
)
def test_a_run_that_comes_to_nothing_says_why(store, queue_run, drain, name, error, diverged):
    run_id = queue_run(name)
    drain()
    record = store.run(run_id)
    assert (record.status, record.error, record.diverged) == ("failed", error, diverged)
    if name == "break":
        assert messages(store, run_id)[-1].endswith("ValueError: a bug\nin two lines")


def test_a_run_that_memory_does_not_hold_is_tried_in_halves(store, queue_run, drain):
    run_id = queue_run("no memory for a whole batch", batch_size=33, epochs=1)
    drain()
    assert (store.run(run_id).status, store.run(run_id).micro_batch) == ("done", 17)


def test_a_run_whose_actor_is_gone_goes_on_from_what_has_arrived(store, queue_run, drain, ray):
    run_id = queue_run()
    ray.die_after = 12  # messages, the first epoch's among them
    drain()
    begun = (store.run_files(run_id) / "begun.txt").read_text().split()
    assert (store.run(run_id).status, store.run(run_id).attempts, begun) == ("done", 2, ["1", "2", "2", "3"])
    assert "its Ray actor is gone: The actor died" in messages(store, run_id)


def test_a_full_disk_ends_the_worker(store, queue_run, drain):
    run_id = queue_run("full disk")
    with pytest.raises(NoRoomError, match=rf"run #{run_id} goes on from its last checkpoint"):
        drain()
    assert store.run(run_id).status == "queued"


def test_the_last_message_brings_the_last_files(tmp_path):
    trainer = Trainer()
    trainer.stop()
    *others, message = trainer.train(_order(tmp_path))
    assert not any(other.over for other in others)
    assert isinstance(message.error, events.StoppedError)
    assert "run/begun.txt" in message.files


def test_other_code_on_a_machine_of_the_cluster_is_told(tmp_path):
    first = next(Trainer().train(_order(tmp_path)))
    assert (first.event.level, "is not the worker's" in first.event.message) == ("warning", True)


def _order(tmp_path):
    return Order(RunSpec.parse({"epochs": 3, "lr": 0.001}), ENGINE, {}, {}, False, tmp_path, None, None, "other code")


def test_places_are_parts_of_the_cluster(store, queue_run, drain, ray):
    assert RayExecutor(None).slots(3).count == 6  # three on each machine
    queue_run(epochs=1)
    drain()
    ray.gpus = 4
    cluster = RayExecutor(None)
    assert cluster.slots(2).count == 8
    queue_run(epochs=1, device="cpu")
    queue_run(epochs=1)
    drain()
    assert [(o["num_cpus"], o["num_gpus"]) for o in ray.options] == [(4, 0), (2, 0), (2, 1.0)]


def test_no_ray_and_no_cluster_are_one_line_each(ray, monkeypatch):
    with pytest.raises(WorkError, match="there is no Ray cluster at nowhere: Could not find any running Ray"):
        RayExecutor("nowhere")
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    with pytest.raises(ImportError):
        importlib.import_module("ray")
    with pytest.raises(RequestError, match=r"pip install 'agopconsole\[ray\]'"):
        RayExecutor(None)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--address", "auto"], "give --executor ray with it"),
        (["--executor", "ray", "--devices", "cpu"], "leave out --devices"),
        (["--executor", "slurm"], "choose from local, ray"),
    ],
)
def test_options_that_do_not_go_together_are_refused(store, capsys, options, words):
    assert run(["worker", *options]) == 2
    assert words in capsys.readouterr().err
