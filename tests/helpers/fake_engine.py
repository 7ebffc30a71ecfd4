"""Stands in for the engine: it trains nothing, needs no torch, and does what the run's name says.

`lr` is the length of a step in seconds. An epoch that is over is written to `done.txt` in the run's folder, from
which a later attempt goes on, and every epoch that is begun to `begun.txt`.
"""

import json
import os
import signal
import sqlite3
import time

from agopconsole.backend import events
from agopconsole.errors import NoRoomError, RequestError, WorkError
from agopconsole.metrics import EpochMetrics, LayerStart, StepMetrics

ENGINE = "helpers.fake_engine:execute"
FAILURES = {
    "fail": WorkError("the data set is not there"),
    "refuse": RequestError("layer 'features.0' fits no source"),
}
STEPS = 5


def execute(spec, places, *, should_stop, report, micro_batch=None):
    done = places.run_files / "done.txt"
    yield events.Setup("cpu", "made up", {"agopconsole": "test"})
    yield events.Started((LayerStart("features.0", 64, 27, 1.0, 2.0, 1.5, 0.25, 9.0, float("nan")),))
    report("getting ready")
    bound = {name: os.environ.get(name) for name in ("CUDA_DEVICE_ORDER", "CUDA_VISIBLE_DEVICES")}
    (places.run_files / "bound.json").write_text(json.dumps({**bound, "device": spec.device}))
    if spec.name.startswith("no memory") and (spec.name == "no memory" or micro_batch is None):
        raise events.OutOfMemoryError("the device's memory is too small: CUDA out of memory")
    first = int(done.read_text()) + 1 if done.exists() else 1
    for epoch in range(1, first):
        yield events.EpochDone(epoch_metrics(spec, epoch))  # again, as the trainer does
    for epoch in range(first, spec.epochs + 1):
        with (places.run_files / "begun.txt").open("a") as file:
            file.write(f"{epoch}\n")
        misbehave(spec.name, epoch, places.run_files)
        for step in range(STEPS):
            if should_stop():
                raise events.StoppedError(f"stopped in epoch {epoch}, step {step + 1}")
            time.sleep(spec.lr)
            yield events.StepsDone((StepMetrics(STEPS * (epoch - 1) + step + 1, epoch, 1 / epoch, 1.0, spec.lr),))
        done.write_text(str(epoch))
        yield events.EpochDone(epoch_metrics(spec, epoch))
    if places.source is not None:
        yield events.Note(f"started from {places.source}")
    yield events.Finished(test_accuracy=50.0, at_chance=spec.name == "at chance")


def epoch_metrics(spec, epoch):
    loss = 2 / epoch
    accuracy = 100 * epoch / (epoch + 1) - spec.seed
    return EpochMetrics(
        epoch, STEPS * epoch, loss, accuracy, loss, accuracy, loss + 0.1, accuracy, 1.0, spec.lr, 0.1, 276.0
    )


def misbehave(name, epoch, folder):
    if name == "full disk" and epoch == 2 and not (folder / "full").exists():
        (folder / "full").touch()
        raise NoRoomError("last.pt cannot be written: there is no room left on the disk")
    if name == "full store" and epoch == 2 and not (folder / "full").exists():
        (folder / "full").touch()
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error
    if name == "diverge" and epoch == 2:
        raise events.DivergedError("diverged in epoch 2, step 1: the training loss is nan")
    if name in FAILURES:
        raise FAILURES[name]
    if name == "break":
        raise ValueError("a bug\nin two lines")
    if (
        name == "die"
        or (name == "die in the third epoch" and epoch == 3)
        or (name == "die once" and epoch == 2 and not (folder / "died").exists())
    ):
        (folder / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "exit":
        os.write(2, b"the last words of a library\n")
        os._exit(3)
    if name == "deaf":
        while True:
            time.sleep(1)
