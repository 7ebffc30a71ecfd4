"""Training VGG11: ours, the source study's loop, and how near the limit each comes.

    python benchmarks/training.py [--device cuda] [--size 224 | --size 32] [--steps N]

Batch 64, pictures of 32 x 32. Each side runs in a process of its own, in turn; a step includes its batch's loading.
On the processor a step's time is the median of all but the first; a GPU is behind what it was told, and there it is
the mean of all but the first tenth. `ours` has the precision `auto`, `ours, float32` the reference's. `poster` is the
source study's loop with torchvision's network, whose head is 4,096 units wide whatever the size of the pictures;
`same network` is that loop with the network that we train, which below 128 px has a compact head (at 224 px both are
one). On a GPU the loop's pictures are prepared by as many processes as the machine has cores. The limit is what the
network's plainly counted multiplications take at the rate of matrix products in the side's precision, measured in the
same run; minimal filtering needs fewer of them and may pass it.
"""

import argparse
import contextlib
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from record import write_result
from reference_loop import run_loop
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import vgg11

from agopconsole.backend import devices
from agopconsole.backend.data import Images, Pictures
from agopconsole.backend.events import StoppedError
from agopconsole.backend.heap import keep_freed_memory
from agopconsole.backend.models import build_model
from agopconsole.backend.precision import pick_precision
from agopconsole.backend.train import Trainable, _Trainer
from agopconsole.spec import RunSpec

BATCH, CLASSES = 64, 10
STEPS = {"cpu": {224: 3, 32: 25}, "cuda": {224: 120, 32: 1000}}
OURS = {"ours": "auto", "ours, float32": "float32"}
SIDES = (*OURS, "same network", "poster")
MIB = 2**20


class StepClock:
    """Reads the clock before every step and after the last.

    Args:
        device: that works on the steps.
        steps: how many there will be.
    """

    def __init__(self, device: torch.device, steps: int) -> None:
        self._device, self._steps = device, steps
        self._first = 1 if device.type == "cpu" else steps // 10
        self._moments: list[float] = []

    def __call__(self) -> bool:
        """Reads it, and says whether that was after the last step."""
        if len(self._moments) in (self._first, self._steps):
            devices.synchronize(self._device)
        self._moments.append(time.perf_counter())
        return len(self._moments) > self._steps

    @property
    def step_seconds(self) -> float:
        """The time of a step."""
        counted = self._moments[self._first :]
        if self._device.type == "cpu":
            return statistics.median(b - a for a, b in itertools.pairwise(counted))
        return (counted[-1] - counted[0]) / (len(counted) - 1)


def pictures(steps: int) -> tuple[Tensor, Tensor]:
    """Random pictures and classes for so many steps: what is in them plays no part in the time."""
    generator = torch.Generator().manual_seed(0)
    n = steps * BATCH
    pixels = torch.randint(256, (n, 3, 32, 32), dtype=torch.uint8, generator=generator)
    return pixels, torch.randint(CLASSES, (n,), generator=generator)


def our_epoch(size: int, steps: int, device: torch.device, precision: str, folder: Path, clock: StepClock) -> None:
    """An epoch of the trainer itself."""
    pixels, labels = pictures(steps + 1)
    half = torch.full((3,), 0.5)
    fed = Pictures(Images(pixels, labels), device=device, image_size=size, mean=half, std=half)
    fields = {"dataset": "cifar10", "batch_size": BATCH, "epochs": 1, "image_size": size, "precision": precision}
    model = build_model("vgg11", classes=CLASSES, image_size=size).to(device)
    everything = torch.arange(len(labels))
    run = Trainable(model, device, fed, everything, everything[:BATCH], None, tuple(map(str, range(CLASSES))))
    # Asked before every step, the clock's last answer ends the epoch without its evaluation.
    trainer = _Trainer(RunSpec.parse(fields), run, folder, clock, BATCH)
    with contextlib.suppress(StoppedError):
        for _ in trainer.run_epoch():
            pass


def one_side(side: str, size: int, steps: int, device: torch.device) -> dict[str, float]:
    """What one process measures of one side."""
    torch.manual_seed(0)
    clock = StepClock(device, steps)
    if side in OURS:
        keep_freed_memory()  # as the process of a run does
        with tempfile.TemporaryDirectory() as folder:
            our_epoch(size, steps, device, OURS[side], Path(folder), clock)
    else:
        wide = side == "poster"
        model: nn.Module = (
            vgg11(num_classes=CLASSES) if wide else build_model("vgg11", classes=CLASSES, image_size=size)
        )
        workers = 0 if device.type == "cpu" else os.cpu_count() or 1
        run_loop(model.to(device), *pictures(steps), size=size, batch=BATCH, workers=workers, tick=clock)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    if device.type == "cuda":
        peak = torch.cuda.max_memory_reserved(device)
    return {"step_seconds": clock.step_seconds, "peak_bytes": peak}


def product_rate(device: torch.device, precision: str) -> float:
    """FLOP a second of products of two square matrices."""
    side = 2048 if device.type == "cpu" else 8192
    a, seconds = torch.randn(side, side).to(device, getattr(torch, precision)), []
    for _ in range(9):
        devices.synchronize(device)
        began = time.perf_counter()
        a @ a
        devices.synchronize(device)
        seconds.append(time.perf_counter() - began)
    return 2 * side**3 / statistics.median(seconds)


def flops(size: int, *, wide: bool) -> float:
    """Plainly counted, forward and back, of one step."""
    # On the device that holds nothing: Linux counts what this process held at its largest as its children's too.
    with torch.device("meta"):
        model = vgg11(num_classes=CLASSES) if wide else build_model("vgg11", classes=CLASSES, image_size=size)
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(BATCH, 3, size, size, device="meta")).sum().backward()
    return float(counter.get_total_flops())


def compare(size: int, steps: int, device: torch.device) -> dict[str, Any]:
    """All sides at one size of picture, printed as a table."""
    auto = pick_precision("auto", device).name
    rates = {name: product_rate(device, name) for name in {"float32", auto}}
    told = ", ".join(f"{name} {rate / 1e9:.0f} GFLOP/s" for name, rate in rates.items())
    figures: dict[str, Any] = {"gflop_s": {name: rate / 1e9 for name, rate in rates.items()}, "auto": auto}
    print(f"VGG11 at {size} px, batch {BATCH}, on {device}; matrix products: {told}")
    print(f"{'':14}{'s a step':>10}{'images/s':>10}{'ours is':>9}{'of limit':>10}{'peak MiB':>10}")
    for side in SIDES:
        if (side == "same network" and size >= 128) or (side == "ours, float32" and auto == "float32"):
            continue
        command = [sys.executable, __file__, "--side", side, "--size", str(size), "--steps", str(steps)]
        command += ["--device", str(device)]
        done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
        found = json.loads(done.stdout)
        seconds = found["step_seconds"]
        found["images_per_second"] = BATCH / seconds
        found["times"] = seconds / (figures["ours"]["step_seconds"] if "ours" in figures else seconds)
        rate = rates[auto if side == "ours" else "float32"]
        found["of_limit"] = flops(size, wide=side == "poster") / rate / seconds
        figures[side] = found
        print(
            f"{side:14}{seconds:10.5f}{BATCH / seconds:10.1f}{found['times']:8.2f}x{100 * found['of_limit']:9.0f}%"
            f"{found['peak_bytes'] / MIB:10.0f}",
            flush=True,
        )
    return figures


def main() -> None:
    """Measures one side in this process, or compares them all, each in its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--size", type=int, choices=STEPS["cpu"])
    parser.add_argument("--steps", type=int)
    parser.add_argument("--side", choices=SIDES)
    asked = parser.parse_args()
    device = devices.pick(asked.device)
    steps = STEPS[device.type]
    sizes = [asked.size] if asked.size else list(steps)
    if asked.side:
        print(json.dumps(one_side(asked.side, sizes[0], asked.steps or steps[sizes[0]], device)))
        return
    figures = {f"{size} px": compare(size, asked.steps or steps[size], device) for size in sizes}
    write_result("training" if asked.size is None else f"training_{asked.size}", figures, device)


if __name__ == "__main__":
    main()
