"""The AGOP of all convolutions of VGG11 at 224 px, 2 images, 10 outputs: the Jacobian of every patch against ours.

    python benchmarks/agop.py [--device cuda]

Both sides in turn in one process, medians; each error is the largest over the layers against autograd in float64.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from record import write_result
from reference import patch_jacobian_agop
from torch import Tensor, nn
from torchvision.models import vgg11

from agopconsole.backend import agop, devices

SIZE, IMAGES, OUTPUTS = 224, 2, 10
ROUNDS = 5
PROBES, CLASSES, SMALL = 32, 1000, 96


def network(classes: int, size: int, device: torch.device) -> tuple[nn.Module, list[str], Tensor]:
    """A VGG11 as its constructor starts it, the names of its convolutions, and images."""
    torch.manual_seed(0)
    model = vgg11(num_classes=classes).eval()
    for module in model.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False  # vmap of jacrev does not take functions that write to their input
    names = [name for name, module in model.named_modules() if isinstance(module, nn.Conv2d)]
    return model.to(device), names, torch.randn(IMAGES, 3, size, size).to(device)


def timed(function: Callable[[], Any], device: torch.device) -> tuple[float, Any]:
    """Seconds and what came out."""
    devices.synchronize(device)
    began = time.perf_counter()
    out = function()
    devices.synchronize(device)
    return time.perf_counter() - began, out


def error(found: dict[str, Tensor], exact: dict[str, Tensor]) -> float:
    """The largest relative error of a layer, Frobenius."""
    return max(float((found[key].cpu().double() - exact[key]).norm() / exact[key].norm()) for key in exact)


def dense(model: nn.Module, images: Tensor, names: list[str], **options: Any) -> dict[str, Tensor]:
    """The AGOPs as (d, d) matrices."""
    return {key: matrix.dense() for key, matrix in agop(model, images, layers=names, **options).items()}


def product_rate(dtype: torch.dtype, device: torch.device) -> float:
    """GFLOP a second of a product of two square matrices."""
    side = 2048 if device.type == "cpu" else 8192
    a = torch.randn(side, side).to(device, dtype)
    seconds = statistics.median(timed(lambda: a @ a, device)[0] for _ in range(9))
    return 2 * side**3 / seconds / 1e9


def arithmetic(model: nn.Module, size: int) -> float:
    """GFLOP of the forward pass, the input gradients but the first and the outer products, as plainly counted."""
    total, side = 0.0, size
    for module in model.features:
        if isinstance(module, nn.Conv2d):
            c_out, d = module.weight.flatten(1).shape
            through = 2.0 * side**2 * c_out * d
            total += through + OUTPUTS * 2.0 * side**2 * c_out**2
            total += OUTPUTS * through if module.in_channels > 3 else 0
        elif isinstance(module, nn.MaxPool2d):
            side //= 2
    return IMAGES * total / 1e9


def exact_outputs(device: torch.device) -> dict[str, float]:
    """The reference, ours by the library, ours by Winograd's way, ours with passes in bfloat16."""
    model, names, images = network(OUTPUTS, SIZE, device)
    ways: dict[str, Callable[[], dict[str, Tensor]]] = {
        "reference": lambda: {name: patch_jacobian_agop(model, name, images) for name in names},
        "library": lambda: {k: m.factor for k, m in agop(model, images, layers=names, winograd=False).items()},
        "winograd": lambda: {k: m.factor for k, m in agop(model, images, layers=names).items()},
        "bfloat16": lambda: {k: m.factor for k, m in agop(model, images, layers=names, precision="bfloat16").items()},
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    found: dict[str, dict[str, Tensor]] = {}
    for way, function in ways.items():
        for _ in range(3 if way == "reference" else ROUNDS + 2):
            taken, found[way] = timed(function, device)
            seconds[way].append(taken)
    rate, low = product_rate(torch.float32, device), product_rate(torch.bfloat16, device)
    work = arithmetic(model, SIZE)
    exact = dense(model.cpu().double(), images.cpu().double(), names)
    figures = {"gflop": work, "float32_gflop_s": rate, "bfloat16_gflop_s": low, "limit_seconds": work / rate}
    print(f"{'way':12}{'seconds':>10}{'times':>7}{'error':>10}{'GFLOP/s':>9}")
    # The first of each reads weights and asks for memory.
    medians = {way: statistics.median(times[1:]) for way, times in seconds.items()}
    for way, median in medians.items():
        whole = found[way] if way == "reference" else {k: f.T @ f for k, f in found[way].items()}
        wrong = error(whole, exact)
        times = medians["reference"] / median
        print(
            f"{way:12}{median:10.4f}{times:7.1f}{wrong:10.1e}{'' if way == 'reference' else f'{work / median:9.0f}'}"
        )
        figures |= {f"{way}_seconds": median, f"{way}_times": times, f"{way}_error": wrong}
    print(f"{work:.0f} GFLOP as plainly counted; matrix products: float32 {rate:.0f} GFLOP/s, bfloat16 {low:.0f}")
    print(f"limit of the plain count at the float32 rate: {work / rate:.4f} s")
    return figures


def many_outputs(device: torch.device) -> dict[str, float]:
    """1,000 outputs: probes against exact."""
    model, names, images = network(CLASSES, SMALL, device)
    generator = torch.Generator().manual_seed(0)
    probes = {"outputs": PROBES, "generator": generator}
    slow, factors = timed(lambda: {key: m.factor for key, m in agop(model, images, layers=names).items()}, device)
    exact = {key: factor.T @ factor for key, factor in factors.items()}
    runs = [timed(lambda: agop(model, images, layers=names, **probes), device)[0] for _ in range(ROUNDS)]
    fast = statistics.median(runs)
    sampled = agop(model, images, PROBES, layers=names, generator=generator)
    errors = [error({key: sampled[key].dense()}, {key: exact[key].cpu().double()}) for key in names]
    told = [sampled[key].relative_error or 0.0 for key in names]
    print(
        f"{CLASSES} outputs at {SMALL} px: exact {slow:.2f} s, {PROBES} probes {fast:.3f} s: {slow / fast:.0f} times"
    )
    print("error of the probes, by layer:", *(f"{wrong:.2f}" for wrong in errors))
    print("as estimated without knowing the truth:", *(f"{wrong:.2f}" for wrong in told))
    return {
        "many_exact_seconds": slow,
        "many_probes_seconds": fast,
        "many_times": slow / fast,
        "many_error_min": min(errors),
        "many_error_max": max(errors),
        "many_estimate_min": min(told),
        "many_estimate_max": max(told),
    }


def main() -> None:
    """Measures on one device."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    device = devices.pick(parser.parse_args().device)
    with devices.exact_products():
        figures = exact_outputs(device) | many_outputs(device)
    write_result("agop", figures, device)


if __name__ == "__main__":
    main()
