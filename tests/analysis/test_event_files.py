"""Runs as TensorBoard's event files, read back by TensorBoard's own reader."""

import importlib.util
import math

import pytest
from helpers.imports import HEAVY, loaded_by
from helpers.stored_runs import OWNER, add_done, make_epoch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from agopconsole.analysis.event_files import export_events, folder_name
from agopconsole.errors import RequestError
from agopconsole.metrics import StepMetrics
from agopconsole.spec import RunSpec


@pytest.fixture
def run(store):
    """A run of two epochs of two steps each, the second of which is not finite, and a step of a third epoch."""
    [run_id] = store.add_runs([RunSpec.parse({"init": "nfm", "scale": "lsuv", "basis": "centred", "seed": 3})])
    store.claim(OWNER)
    store.record_steps(run_id, [StepMetrics(step, 1 + step // 3, 2.0 / step, 0.5, 1e-3) for step in range(1, 6)])
    store.record_epoch(run_id, make_epoch(1, step=2, val_accuracy=40.0, seconds=2.0))
    store.record_epoch(run_id, make_epoch(2, step=4, val_accuracy=60.0, seconds=4.0, val_loss=float("nan")))
    return store.run(run_id)


def test_tensorboard_reads_what_the_store_holds(store, run, tmp_path):
    said = export_events(store, [run], tmp_path / "events")
    assert said.startswith(f"1 run written to {tmp_path / 'events'}; `tensorboard --logdir")
    read = EventAccumulator(str(tmp_path / "events" / "nfm-scale=lsuv-basis=centred-s3-1"))
    read.Reload()
    accuracy = read.Scalars("accuracy/validation")
    assert [(event.step, event.value) for event in accuracy] == [(1, 40.0), (2, 60.0)]
    assert accuracy[1].wall_time - accuracy[0].wall_time == pytest.approx(4.0, abs=1e-3)
    assert math.isnan(read.Scalars("loss/validation")[1].value)
    steps = read.Scalars("step/loss")
    assert [(event.step, event.value) for event in steps] == [(s, pytest.approx(2.0 / s)) for s in range(1, 6)]
    times = [event.wall_time for event in steps]
    assert times == sorted(times)
    assert read.file_version == 2.0


def test_the_numbers_of_one_step_are_one_record(store, run, tmp_path):
    export_events(store, [run], tmp_path / "events")
    [path] = (tmp_path / "events").rglob("events.out.tfevents.*")
    records = [(event.step, len(event.summary.value)) for event in EventFileLoader(str(path)).Load()]
    # The first says what the file is; the epochs have nine tags, the steps three.
    assert records == [(0, 0), (1, 3), (2, 3), (1, 9), (3, 3), (4, 3), (2, 9), (5, 3)]


def test_each_run_has_a_folder_of_its_own_and_none_is_written_twice(store, tmp_path):
    runs = [store.run(add_done(store, 50.0, seed=seed)) for seed in range(2)]
    export_events(store, runs[:1], tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["kaiming_uniform-s0-1"]
    with pytest.raises(RequestError, match="kaiming_uniform-s0-1 is there already"):
        export_events(store, runs, tmp_path)
    assert not (tmp_path / folder_name(runs[1])).exists()


def test_without_tensorboard_one_line_says_what_is_missing(store, run, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RequestError, match="event files need tensorboard; install it"):
        export_events(store, [run], tmp_path)


def test_it_needs_no_torch(store, run, tmp_path):
    code = "import sys; from agopconsole.cli.entry import run; assert run(sys.argv[1:]) == 0"
    modules, _ = loaded_by(code, "runs", "export", "1", "--format", "tensorboard", "--out", "events", folder=tmp_path)
    assert "tensorboard" in modules
    assert not modules & (HEAVY - {"tensorboard", "numpy"})
    assert list((tmp_path / "events").glob("nfm*/events*"))
