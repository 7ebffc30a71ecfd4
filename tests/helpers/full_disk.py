"""The engine on a disk that fills up while a run of that name trains; tried again, it finds room.

From then on the kernel refuses every write of the process beyond a file's first bytes, as a full disk does: to the
store as well as to a checkpoint, which torch and safetensors write in C++.
"""

import resource
import shutil
from collections import namedtuple

from agopconsole.backend import events
from agopconsole.backend import run as engine

ENGINE = "helpers.full_disk:execute"
BEFORE_THE_STORE = "the disk is full before a step is recorded"
BEFORE_A_CHECKPOINT = "the disk is full before a checkpoint"

_Usage = namedtuple("_Usage", "total used free")


def execute(spec, places, **asked):
    marker = places.run_files / "was full"
    for event in engine.execute(spec, places, **asked):
        yield event
        if not marker.exists() and is_time(spec.name, event):
            marker.touch()
            fill()


def is_time(name, event):
    if name == BEFORE_THE_STORE:
        return isinstance(event, events.EpochDone) and event.metrics.epoch == 2
    return name == BEFORE_A_CHECKPOINT and isinstance(event, events.StepsDone) and event.steps[-1].epoch == 3


def fill():
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, resource.RLIM_INFINITY))
    shutil.disk_usage = lambda _: _Usage(2**30, 2**30, 0)  # which a limit on files leaves as it was
