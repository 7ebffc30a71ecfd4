"""An engine whose network is tiny: the real trainer, checkpoints and events, in a second a run.

What benchmarks of the queue need of the engine is its trainer; the network is small enough that 200 runs fit into
minutes.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator

import torch
from torch import nn

from agopconsole.backend import data, events
from agopconsole.backend.train import Trainable, train
from agopconsole.store import utc_now

PAUSE_SECONDS = float(os.environ.get("TINY_PAUSE", "0.02"))
"""How long a step takes beside its arithmetic, so that there is a run to be killed."""


def execute(spec, places, *, should_stop: Callable[[], bool], report, micro_batch=None) -> Iterator:  # noqa: ANN001
    """Trains a network of 1,200 weights on scikit-learn's digits; notes where two processes train one run."""
    places.run_files.mkdir(parents=True, exist_ok=True)
    (places.run_files / "begun").write_text(utc_now())
    with (places.run_files / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            (places.run_files / "twice").touch()
            raise
        dataset = data.load_dataset("digits", places.data, image_size=8, report=report)
        split = data.split(dataset, seed=spec.split_seed, val_fraction=spec.val_fraction, limit=spec.limit)
        mean, std = data.channel_statistics(dataset.train, split.train)
        torch.manual_seed(spec.seed)
        model = nn.Sequential(
            nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.2), nn.Flatten(), nn.LazyLinear(10)
        )
        pictures = data.Pictures(dataset.train, device=torch.device("cpu"), image_size=8, mean=mean, std=std)
        model(pictures.batch(split.train[:1])[0])
        yield events.Setup("cpu", dataset.origin, {"torch": torch.__version__})
        ready = Trainable(model, torch.device("cpu"), pictures, split.train, split.val, None, dataset.classes)

        def pause() -> bool:
            time.sleep(PAUSE_SECONDS)
            return should_stop()

        yield from train(spec, ready, places.run_files, pause, micro_batch=micro_batch)
