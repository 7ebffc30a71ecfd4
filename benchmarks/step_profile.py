"""Where a training step of VGG11 spends its time on this machine's processor, at 224 and at 32 px, batch 64.

    python benchmarks/step_profile.py

In float32 and, where the processor has units for it, in bfloat16: shares of the time that operators themselves take
(torch.profiler), and of that, what is matrix products and convolutions.
"""

import itertools
from typing import Any

import torch
from record import write_result
from torch import nn
from torch.profiler import ProfilerActivity, profile

from agopconsole.backend.heap import keep_freed_memory
from agopconsole.backend.models import build_model
from agopconsole.backend.optimizers import build_optimizer
from agopconsole.backend.precision import pick_precision
from agopconsole.backend.quicker import quickened
from agopconsole.backend.step import Stepper
from agopconsole.spec import RunSpec

BATCH = 64
STEPS = {224: 2, 32: 20}
_PRODUCTS = ("aten::mm", "aten::bmm", "aten::baddbmm", "aten::addmm", "conv")
SHOWN = 12


def shares(size: int, precision: str) -> dict[str, float]:
    """Each operator's share of a step's time, the largest first."""
    torch.manual_seed(0)
    model: nn.Module = build_model("vgg11", classes=10, image_size=size)
    if precision == "bfloat16":
        model.to(memory_format=torch.channels_last)  # as a run has it
    cpu = torch.device("cpu")
    spec = RunSpec.parse({"image_size": size})
    optimizer = build_optimizer(spec, list(model.parameters()))
    stepper = Stepper(model, optimizer, pick_precision(precision, cpu), cpu, BATCH)
    images, labels = torch.randn(BATCH, 3, size, size), torch.randint(10, (BATCH,))
    with quickened(model):
        stepper.take(images, labels, spec.lr)
        with profile(activities=[ProfilerActivity.CPU]) as watched:
            for _ in range(STEPS[size]):
                stepper.take(images, labels, spec.lr)
            stepper.read()
    rows = {row.key: row.self_cpu_time_total for row in watched.key_averages()}
    whole = sum(rows.values())
    return {key: value / whole for key, value in sorted(rows.items(), key=lambda row: -row[1])}


def main() -> None:
    """Prints the largest items of each profile and keeps them."""
    keep_freed_memory()  # as the process of a run does
    figures: dict[str, Any] = {}
    auto = pick_precision("auto", torch.device("cpu")).name
    for size, precision in itertools.product(STEPS, dict.fromkeys(("float32", auto))):
        found = shares(size, precision)
        products = sum(share for key, share in found.items() if key.startswith(_PRODUCTS[:4]) or _PRODUCTS[4] in key)
        print(f"VGG11 at {size} px, {precision}: {100 * products:.0f} % matrix products and convolutions")
        for key, share in list(found.items())[:SHOWN]:
            print(f"  {key:44}{100 * share:6.1f} %")
        figures[f"{size} px, {precision}"] = {"products": products, "shares": dict(list(found.items())[:SHOWN])}
    write_result("step_profile", figures)


if __name__ == "__main__":
    main()
