"""The engine on every device of the machine that runs the tests, against float64 on the CPU."""

import copy
import math
import warnings
from dataclasses import replace

import pytest
import torch
from helpers.brute_force import brute_force_agop
from helpers.networks import odd_net, small_vit, some_images
from torch import nn

from agopconsole.backend import agop, devices, initialize, nfm
from agopconsole.backend.data import Images, Pictures
from agopconsole.backend.events import EpochDone, Finished, StepsDone
from agopconsole.backend.graphed_step import build_stepper
from agopconsole.backend.models import build_model
from agopconsole.backend.optimizers import build_optimizer
from agopconsole.backend.precision import pick_precision
from agopconsole.backend.start import measure_start
from agopconsole.backend.train import Trainable, train
from agopconsole.methods import compose
from agopconsole.spec import RunSpec

DEVICES = [pytest.param(torch.device(name), id=name) for name in devices.available()]
on_every_device = pytest.mark.parametrize("device", DEVICES)


def distance(found: torch.Tensor, exact: torch.Tensor) -> float:
    return float((found.detach().cpu().double() - exact.detach()).norm() / exact.detach().norm())


def a_line() -> nn.Sequential:
    """A network that is passed through by hand, large enough for minimal filtering."""
    with torch.random.fork_rng():
        torch.manual_seed(2)
        return nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(32, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 40, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(40, 6),
        ).double()


@on_every_device
@pytest.mark.parametrize("name", ["wide", "strided", "hidden"])
def test_the_agop_of_a_network_with_branches(device, name):
    net, images = odd_net().eval(), some_images()
    exact = brute_force_agop(net, name, images)[0]
    found = agop(net.float().to(device), images.float().to(device))[name]
    assert found.factor.device.type == device.type
    assert distance(found.dense(), exact) < 5e-6


@on_every_device
@pytest.mark.parametrize("winograd", [False, True])
@pytest.mark.parametrize("name", ["0", "2", "5"])
def test_the_agop_of_a_straight_line(device, winograd, name):
    net = a_line()
    images = torch.randn(3, 3, 12, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    exact = brute_force_agop(net, name, images)[0]
    found = agop(net.float().to(device), images.float().to(device), winograd=winograd)[name]
    assert distance(found.dense(), exact) < 1e-5


@on_every_device
def test_the_agop_of_an_attention(device):
    net, images = small_vit(), torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    exact = agop(copy.deepcopy(net).double(), images.double())
    found = agop(net.to(device), images.to(device))
    assert found.keys() == exact.keys()
    assert max(distance(found[key].dense(), exact[key].dense()) for key in exact) < 1e-4


@on_every_device
def test_probes_are_the_same_everywhere(device):
    net, images = odd_net(torch.float32).eval(), some_images(2, torch.float32)
    here = agop(net, images, 4, generator=torch.Generator().manual_seed(3))
    there = agop(net.to(device), images.to(device), 4, generator=torch.Generator().manual_seed(3))
    for key, matrix in here.items():
        assert distance(there[key].dense(), matrix.dense().double()) < 1e-4
        assert there[key].relative_error == pytest.approx(matrix.relative_error, rel=1e-3)


@on_every_device
@pytest.mark.parametrize(
    "method",
    [
        compose("kaiming_nfm"),
        compose("nfm", basis="rotated"),
        compose("kaiming_agop"),
        compose("nfm", scale="lsuv", basis="centred"),
        compose("kaiming_nfm", basis="centred_rotated"),
        compose("kaiming_nfm", basis="aligned"),
    ],
    ids=str,
)
def test_a_start_is_the_same_everywhere(device, method):
    source = build_model("vgg11", classes=3, image_size=32, seed=1)
    images = torch.randn(24, 3, 32, 32, generator=torch.Generator().manual_seed(5))
    weights = []
    for place in (torch.device("cpu"), device):
        network, of = (model.to(place) for model in (build_model("vgg11", classes=3, image_size=32), source))
        features = nfm(of) if method.features == "nfm" else agop(of, images[:2].to(place), layers=["features.0"])
        # From layer to layer small differences grow: the turn of many channels hangs on few images.
        layers = "first:3" if method.needs_images else "conv" if method.features == "nfm" else "features.0"
        initialize(network, method, features=features, images=images.to(place), source=of, layers=layers, seed=7)
        weights.append({name: tensor.cpu() for name, tensor in network.state_dict().items()})
    for name, expected in weights[0].items():
        # The biases that `lsuv` sets are 0 but for rounding where the mean of a layer's inputs is.
        close = 1e-5 if name.endswith("bias") else 1e-4 * float(expected.abs().max())
        assert torch.allclose(weights[1][name], expected, rtol=1e-3, atol=close), name


@on_every_device
def test_measures_of_a_start_are_the_same_everywhere(device):
    network = build_model("vgg11", classes=3, image_size=32)
    images = torch.randn(16, 3, 32, 32, generator=torch.Generator().manual_seed(5))
    labels = torch.arange(16) % 3
    here = measure_start(network, images, labels)
    there = measure_start(network.to(device), images.to(device), labels.to(device))
    for one, other in zip(here, there, strict=True):
        assert other.layer == one.layer
        for measure in ("weight_variance", "output_mean_square", "common_mode", "gradient_ratio"):
            assert getattr(other, measure) == pytest.approx(getattr(one, measure), rel=1e-3), (one.layer, measure)


@on_every_device
def test_a_feature_map_is_the_same_everywhere(device):
    matrix = nfm(nn.Conv2d(3, 8, 3))[""]
    images = torch.rand(2, 3, 9, 9, generator=torch.Generator().manual_seed(5))
    there = replace(matrix, factor=matrix.factor.to(device)).feature_map(images.to(device), padding=(1, 1))
    assert torch.allclose(there.cpu(), matrix.feature_map(images, padding=(1, 1)), atol=1e-5)


@on_every_device
def test_a_batch_is_the_same_everywhere(device):
    pixels = torch.randint(256, (8, 3, 20, 20), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    chosen, statistics = torch.tensor([5, 0, 3]), {"mean": torch.full((3,), 0.4), "std": torch.full((3,), 0.3)}
    batches = [
        Pictures(Images(pixels, torch.arange(8)), device=place, image_size=32, **statistics).batch(
            chosen, augment="crop_flip", generator=torch.Generator().manual_seed(1)
        )
        for place in ("cpu", device)
    ]
    assert torch.allclose(batches[1][0].cpu(), batches[0][0], atol=1e-5)
    assert batches[1][1].tolist() == [5, 0, 3]


def small_network(*, norm: bool = True) -> nn.Sequential:
    """For 16 x 16 px, with 3 outputs."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        return nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1),
            nn.BatchNorm2d(16) if norm else nn.Identity(),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.1 * norm),
            nn.Linear(128, 3),
        )


def pictures_told_apart_by_brightness(device: torch.device) -> Trainable:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(288) % 3
    pixels = (torch.rand(288, 3, 16, 16, generator=generator) * 100 + labels[:, None, None, None] * 60).byte()
    statistics = {"mean": torch.full((3,), 0.4), "std": torch.full((3,), 0.3)}
    pictures = Pictures(Images(pixels, labels), device=device, image_size=16, **statistics)
    model = small_network().to(device)
    train_indices, validation = torch.arange(198), torch.arange(198, 288)
    return Trainable(model, device, pictures, train_indices, validation, pictures, ("a", "b", "c"))


@on_every_device
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("precision", ["auto", "float32"])
def test_a_network_learns(device, optimizer, precision, tmp_path):
    spec = RunSpec.parse(
        {
            "epochs": 2,
            "batch_size": 16,
            "lr": 0.01 if optimizer == "sgd" else 0.001,
            "optimizer": optimizer,
            "image_size": 32,
            "precision": precision,
        }
    )
    events = list(train(spec, pictures_told_apart_by_brightness(device), tmp_path, lambda: False))
    steps = [step for event in events if isinstance(event, StepsDone) for step in event.steps]
    assert [step.step for step in steps] == list(range(1, 27))
    assert all(math.isfinite(step.loss) and step.gradient_norm > 0 for step in steps)
    assert [event.metrics.val_accuracy for event in events if isinstance(event, EpochDone)][-1] > 60
    assert isinstance(events[-1], Finished)


@on_every_device
def test_a_run_that_is_taken_up_again_goes_on_as_it_was(device, tmp_path):
    """Bit for bit on the CPU; elsewhere as near as sums in another order are."""
    spec = RunSpec.parse({"epochs": 3, "batch_size": 16, "image_size": 32, "lr": 0.01})
    run = pictures_told_apart_by_brightness(device)
    whole = [
        event.metrics for event in train(spec, run, tmp_path / "a", lambda: False) if isinstance(event, EpochDone)
    ]
    part = []
    for event in train(spec, pictures_told_apart_by_brightness(device), tmp_path / "b", lambda: False):
        if isinstance(event, EpochDone):
            part.append(event.metrics)
            if len(part) == 2:
                break
    again = pictures_told_apart_by_brightness(device)
    rest = [
        event.metrics for event in train(spec, again, tmp_path / "b", lambda: False) if isinstance(event, EpochDone)
    ]
    exact = device.type == "cpu"
    for one, other in zip(whole, rest, strict=True):
        assert other.train_loss == (one.train_loss if exact else pytest.approx(one.train_loss, rel=0.1))


@on_every_device
@pytest.mark.parametrize("precision", ["auto", "float32"])
def test_steps_are_those_of_a_plain_loop(device, precision):
    """More of them than are taken kernel by kernel on a GPU before one is recorded, the last of another size."""
    spec = RunSpec.parse({"image_size": 32, "lr": 0.02, "momentum": 0.8, "weight_decay": 0.01})
    generator = torch.Generator().manual_seed(0)
    sizes = [16] * 8 + [9, 16, 16]
    batches = [(torch.randn(n, 3, 16, 16, generator=generator), torch.arange(n) % 3) for n in sizes]
    model = small_network(norm=False).train().to(device)
    plain = copy.deepcopy(model).cpu().double()
    stepper = build_stepper(
        model, build_optimizer(spec, list(model.parameters())), pick_precision(precision, device), device, 16
    )
    optimizer = torch.optim.SGD(plain.parameters(), lr=1.0, momentum=0.8, weight_decay=0.01)
    losses, norms = [], []
    for number, (images, labels) in enumerate(batches):
        rate = 0.02 / (1 + number)
        stepper.take(images.to(device), labels.to(device), rate)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(plain(images.double()), labels)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        norms.append(math.sqrt(sum(float(p.grad.square().sum()) for p in plain.parameters())))
    found = stepper.read()
    assert [numbers.images for numbers in found] == sizes
    rounding = {"float32": 1e-5, "bfloat16": 2e-2}[pick_precision(precision, device).name]
    close = max(rounding, 1e-3 if device.type == "cuda" else 0.0)  # TF32
    assert [numbers.loss for numbers in found] == pytest.approx(losses, rel=close)
    assert [numbers.gradient_norm for numbers in found] == pytest.approx(norms, rel=10 * close)
    moved = [distance(ours, theirs) for ours, theirs in zip(model.parameters(), plain.parameters(), strict=True)]
    assert max(moved) < 10 * close


@on_every_device
def test_dropout_differs_from_step_to_step_and_not_from_run_to_run(device):
    spec = RunSpec.parse({"image_size": 32, "lr": 0.001})
    images, labels = torch.randn(16, 3, 8, 8, generator=torch.Generator().manual_seed(0)), torch.arange(16) % 3
    losses = []
    for _ in range(2):
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(3)
            model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(192, 3)).to(device).train()
            optimizer = build_optimizer(replace(spec, lr=0.001), list(model.parameters()))
            stepper = build_stepper(model, optimizer, pick_precision("float32", device), device, 16)
            torch.manual_seed(4)
            for _ in range(9):
                stepper.take(images.to(device), labels.to(device), 0.0)
            losses.append([numbers.loss for numbers in stepper.read()])
    assert len(set(losses[0])) == 9
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


SWITCHES = (torch.backends.cudnn.conv, torch.backends.cudnn.rnn, torch.backends.cuda.matmul)


@pytest.fixture(params=["tf32", "ieee"])
def chosen(request):
    """What a user has chosen for products in float32."""
    before = [switch.fp32_precision for switch in SWITCHES]
    for switch in SWITCHES:
        switch.fp32_precision = request.param
    yield request.param
    for switch, precision in zip(SWITCHES, before, strict=True):
        switch.fp32_precision = precision


@on_every_device
def test_products_are_exact_for_a_while_and_then_what_the_user_chose(device, chosen):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with devices.exact_products():
            assert "tf32" not in {switch.fp32_precision for switch in SWITCHES}
            with torch.backends.cudnn.flags(enabled=False, allow_tf32=False):  # as a model may ask within its pass
                pass
            agop(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)).to(device), torch.ones(1, 3, 2, 2, device=device))
            assert "tf32" not in {switch.fp32_precision for switch in SWITCHES}
    assert {switch.fp32_precision for switch in SWITCHES} == {chosen}
