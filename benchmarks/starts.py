"""How long it takes to build the starts of a VGG11 at 32 px that look at images: 300 of them, features at hand.

    python benchmarks/starts.py

Medians of 5 builds each, in turn, on made images; the network is as large as a run's.
"""

import statistics
import time

import torch
from record import write_result

from agopconsole.backend import initialize, nfm
from agopconsole.backend.models import build_model
from agopconsole.methods import compose

IMAGES = 300
BUILDS = 5
BOUNDS = {"lsuv": 1.0, "centred": 3.0, "aligned": 3.0}
METHODS = {
    "lsuv": compose("kaiming_normal", scale="lsuv"),
    "centred": compose("kaiming_nfm", scale="lsuv", basis="centred"),
    "aligned": compose("kaiming_nfm", basis="aligned"),
}


def main() -> None:
    """Builds each start in turn and prints the medians."""
    source = build_model("vgg11", classes=200, image_size=32, seed=1)
    features = nfm(source)
    images = torch.randn(IMAGES, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    seconds: dict[str, list[float]] = {name: [] for name in METHODS}
    for build in range(BUILDS + 1):
        for name, method in METHODS.items():
            model = build_model("vgg11", classes=10, image_size=32)
            began = time.perf_counter()
            initialize(model, method, features=features, images=images, source=source)
            if build:  # the first of each warms up
                seconds[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    for name, median in medians.items():
        print(f"{name:10}{median:7.2f} s   bound {BOUNDS[name]:.0f} s")
    write_result("starts", {name: {"seconds": median, "bound": BOUNDS[name]} for name, median in medians.items()})


if __name__ == "__main__":
    main()
