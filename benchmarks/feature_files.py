"""What the features of a VGG11's convolutions take: on disk, to load, and to draw a network from.

    python benchmarks/feature_files.py

The same layer as the poster's CSV: 64 rows of its 4608 x 4608 matrix are written and scaled up. The whole network is
drawn from the factors. Of the largest layer alone the same number of filters is drawn from the factor and, as the
poster did it, from its covariance: built and mended by its smallest eigenvalue in float64, and drawn from through
Cholesky. Medians of 5, but for the covariance, which is done once. The AGOP is that of 64 made images and 10 outputs
at 32 px; the files are those of `extract --half`.
"""

import ctypes
import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from record import write_result
from torch.distributions import MultivariateNormal

from agopconsole.backend import FeatureMatrix, agop, initialize, nfm
from agopconsole.backend.feature_files import load_features, save_features
from agopconsole.backend.layers import choose_slots
from agopconsole.backend.models import build_model
from agopconsole.methods import compose

ROWS = 64
FILTERS = 512
TIMES = 5
BOUNDS = {"bytes": 40e6, "load_seconds": 0.1, "draw_seconds": 0.2, "draw_bytes": 100e6, "ratio": 1000}


def main() -> None:
    """Measures each and prints it beside its bound."""
    source = build_model("vgg11", classes=10, image_size=32, seed=1)
    convolutions = list(choose_slots(source, "conv"))
    images = torch.randn(64, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    kinds = {
        "nfm": {name: matrix for name, matrix in nfm(source).items() if name in convolutions},
        "agop": agop(source, images, layers=convolutions),
    }
    figures: dict[str, float] = {"bytes": 0, "load_seconds": 0.0}
    with tempfile.TemporaryDirectory() as folder:
        for kind, matrices in kinds.items():
            path = Path(folder) / f"{kind}.safetensors"
            save_features(path, matrices, {}, half=True)
            wrong = [_error(load_features(path)[key], matrix) for key, matrix in matrices.items()]
            figures[f"{kind}_error"] = max(wrong)
            figures[f"{kind}_bytes"] = path.stat().st_size
            figures[f"{kind}_load_seconds"] = _seconds(lambda path=path: load_features(path))
            figures["bytes"] += figures[f"{kind}_bytes"]
            figures["load_seconds"] += figures[f"{kind}_load_seconds"]
        largest = max(kinds["nfm"].values(), key=lambda matrix: matrix.dim)
        figures["csv_bytes_one_layer"] = _csv_bytes(largest, Path(folder) / "layer.csv")

    model = build_model("vgg11", classes=10, image_size=32)
    method = compose("kaiming_nfm")

    def draw() -> object:
        return initialize(model, method, features=kinds["nfm"])

    figures["draw_bytes"] = _peak_above(draw)
    figures["draw_seconds"] = _seconds(draw)
    figures["layer_seconds"] = _seconds(lambda: largest.sample(FILTERS))
    figures["covariance_seconds"] = _covariance_seconds(largest)
    figures["ratio"] = figures["covariance_seconds"] / figures["layer_seconds"]
    for name, figure in figures.items():
        print(f"{name:22}{figure:16,.3f}" + (f"   bound {BOUNDS[name]:,}" if name in BOUNDS else ""))
    write_result("feature_files", {"measured": figures, "bounds": BOUNDS, "csv_rows_written": ROWS})


def _seconds(call: Callable[[], object]) -> float:
    times = []
    for _ in range(TIMES + 1):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])  # the first warms up


def _error(found: FeatureMatrix, exact: FeatureMatrix) -> float:
    truth = exact.dense()
    return float((found.dense() - truth).norm() / truth.norm())


def _csv_bytes(matrix: FeatureMatrix, path: Path) -> float:
    np.savetxt(path, (matrix.factor[:, :ROWS].T @ matrix.factor).numpy(), delimiter=",")
    return path.stat().st_size * matrix.dim / ROWS


def _peak_above(call: Callable[[], object]) -> int:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what was freed before would hide what is asked for now
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before = _kilobytes("VmRSS")
    call()
    return (_kilobytes("VmHWM") - before) * 1024


def _kilobytes(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))


def _covariance_seconds(matrix: FeatureMatrix) -> float:
    began = time.perf_counter()
    factor = matrix.factor.double()
    covariance = factor.T @ factor
    lowest = torch.linalg.eigvalsh(covariance)[0]
    shifted = covariance + (lowest.abs() + 1e-6) * torch.eye(matrix.dim, dtype=torch.float64)
    MultivariateNormal(torch.zeros(matrix.dim, dtype=torch.float64), shifted).sample((FILTERS,))
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
