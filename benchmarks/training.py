"""Training VGG11 on this machine's processor: ours, the source study's loop, and how near the limit each comes.

    python benchmarks/training.py [--size 224 | --size 32] [--steps N]

Batch 64, float32, pictures of 32 x 32. Each side runs in a process of its own, in turn; a step's time is the median
of all but the first and includes its batch's loading. `poster` is the source study's loop with torchvision's network,
whose head is 4,096 units wide whatever the size of the pictures; `same network` is that loop with the network that we
train, which below 128 px has a compact head (at 224 px both are one). The limit is what the network's plainly counted
multiplications take at this machine's rate of float32 matrix products, measured in the same run; minimal filtering
needs fewer of them and may pass it.
"""

import argparse
import json
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
from reference_loop import step_seconds
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import vgg11

from agopconsole.backend.data import Images, Pictures
from agopconsole.backend.models import build_model
from agopconsole.backend.train import Trainable, _Trainer
from agopconsole.spec import RunSpec

BATCH, CLASSES = 64, 10
STEPS = {224: 3, 32: 25}
SIDES = ("ours", "same network", "poster")
MIB = 2**20


def pictures(steps: int) -> tuple[Tensor, Tensor]:
    """Random pictures and classes for so many steps: what is in them plays no part in the time."""
    generator = torch.Generator().manual_seed(0)
    n = steps * BATCH
    pixels = torch.randint(256, (n, 3, 32, 32), dtype=torch.uint8, generator=generator)
    return pixels, torch.randint(CLASSES, (n,), generator=generator)


def our_seconds(size: int, steps: int, folder: Path) -> list[float]:
    """Seconds of each step of an epoch of the trainer itself."""
    pixels, labels = pictures(steps)
    device = torch.device("cpu")
    half = torch.full((3,), 0.5)
    fed = Pictures(Images(pixels, labels), device=device, image_size=size, mean=half, std=half)
    spec = RunSpec.parse({"dataset": "cifar10", "batch_size": BATCH, "epochs": 1, "image_size": size})
    model = build_model("vgg11", classes=CLASSES, image_size=size)
    everything = torch.arange(len(labels))
    run = Trainable(model, device, fed, everything, everything[:BATCH], None, tuple(map(str, range(CLASSES))))
    seconds: list[float] = []
    began = time.perf_counter()

    def tick() -> bool:
        nonlocal began
        now = time.perf_counter()
        seconds.append(now - began)
        began = now
        return len(seconds) > steps  # asked before every step: the last answer ends the epoch without its evaluation

    trainer = _Trainer(spec, run, folder, tick, BATCH)
    for _ in trainer.run_epoch():
        pass
    return seconds[1:]


def one_side(side: str, size: int, steps: int) -> dict[str, float]:
    """What one process measures of one side."""
    torch.manual_seed(0)
    if side == "ours":
        with tempfile.TemporaryDirectory() as folder:
            seconds = our_seconds(size, steps + 1, Path(folder))
    else:
        wide = side == "poster"
        model: nn.Module = (
            vgg11(num_classes=CLASSES) if wide else build_model("vgg11", classes=CLASSES, image_size=size)
        )
        seconds = step_seconds(model, *pictures(steps), size=size, batch=BATCH)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"step_seconds": statistics.median(seconds[1:steps]), "peak_bytes": peak}


def product_rate() -> float:
    """FLOP a second of products of two 2048 x 2048 matrices in float32."""
    a, seconds = torch.randn(2048, 2048), []
    for _ in range(9):
        began = time.perf_counter()
        a @ a
        seconds.append(time.perf_counter() - began)
    return 2 * 2048**3 / statistics.median(seconds)


def flops(size: int, *, wide: bool) -> float:
    """Plainly counted, forward and back, of one step."""
    # On the device that holds nothing: Linux counts what this process held at its largest as its children's too.
    with torch.device("meta"):
        model = vgg11(num_classes=CLASSES) if wide else build_model("vgg11", classes=CLASSES, image_size=size)
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(BATCH, 3, size, size, device="meta")).sum().backward()
    return float(counter.get_total_flops())


def compare(size: int, steps: int) -> dict[str, Any]:
    """All sides at one size of picture, printed as a table."""
    rate = product_rate()
    figures: dict[str, Any] = {"gflop_s": rate / 1e9}
    print(f"VGG11 at {size} px, batch {BATCH}; float32 products: {rate / 1e9:.0f} GFLOP/s")
    print(f"{'':14}{'s a step':>10}{'images/s':>10}{'ours is':>9}{'of limit':>10}{'peak MiB':>10}")
    for side in SIDES if size < 128 else ("ours", "poster"):
        command = [sys.executable, __file__, "--side", side, "--size", str(size), "--steps", str(steps)]
        done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
        found = json.loads(done.stdout)
        seconds = found["step_seconds"]
        found["images_per_second"] = BATCH / seconds
        found["times"] = seconds / (figures["ours"]["step_seconds"] if "ours" in figures else seconds)
        found["of_limit"] = flops(size, wide=side == "poster") / rate / seconds
        figures[side] = found
        print(
            f"{side:14}{seconds:10.3f}{BATCH / seconds:10.1f}{found['times']:8.2f}x{100 * found['of_limit']:9.0f}%"
            f"{found['peak_bytes'] / MIB:10.0f}",
            flush=True,
        )
    return figures


def main() -> None:
    """Measures one side in this process, or compares them all, each in its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, choices=STEPS)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--side", choices=SIDES)
    asked = parser.parse_args()
    sizes = [asked.size] if asked.size else list(STEPS)
    if asked.side:
        print(json.dumps(one_side(asked.side, sizes[0], asked.steps or STEPS[sizes[0]])))
        return
    figures = {f"{size} px": compare(size, asked.steps or STEPS[size]) for size in sizes}
    write_result("training" if asked.size is None else f"training_{asked.size}", figures)


if __name__ == "__main__":
    main()
