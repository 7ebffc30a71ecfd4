"""A quickened network against itself: the same outputs and gradients, and nothing left behind."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from agopconsole.backend.models import build_model
from agopconsole.backend.quicker import quickened


def gradients(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> list[torch.Tensor]:
    """The loss, and its gradient at every weight."""
    loss = functional.cross_entropy(model(images), labels)
    return [loss.detach(), *torch.autograd.grad(loss, list(model.parameters()))]


def line(*, norms: bool) -> nn.Sequential:
    """Convolutions as a VGG has them: before a pooling, before another one, and one whose maps have odd sides."""
    norm = (lambda: [nn.BatchNorm2d(96)]) if norms else list
    maps = [nn.Conv2d(3, 96, 3, padding=1), *norm(), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
    for padding in (1, 0):
        maps += [nn.Conv2d(96, 96, 3, padding=1), *norm(), nn.ReLU(inplace=True)]
        maps += [nn.Conv2d(96, 96, 3, padding=padding), *norm(), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
    return nn.Sequential(*maps, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(96, 5)).double()


@pytest.mark.parametrize("norms", [False, True])
@pytest.mark.parametrize("size", [(32, 32), (28, 36)])
def test_a_quickened_network_has_the_same_loss_and_gradients(norms, size):
    generator = torch.Generator().manual_seed(0)
    model = line(norms=norms).eval()
    images = torch.randn(9, 3, *size, dtype=torch.float64, generator=generator)
    labels = torch.randint(5, (9,), generator=generator)
    expected = gradients(model, images, labels)
    with quickened(model):
        found = gradients(model, images, labels)
        with torch.no_grad():
            quiet = functional.cross_entropy(model(images), labels)
    assert torch.equal(quiet, found[0])
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


def test_most_of_the_work_of_a_vgg_goes_the_quick_way(monkeypatch):
    seen = []
    library = nn.Conv2d.forward
    monkeypatch.setattr(nn.Conv2d, "forward", lambda conv, maps: seen.append(conv) or library(conv, maps))
    model = build_model("vgg11", classes=5, image_size=32).eval()
    with quickened(model), torch.no_grad():
        model(torch.zeros(32, 3, 32, 32))
    assert seen == []


def test_the_network_is_afterwards_what_it_was_even_after_an_error():
    model = build_model("vgg11", classes=5, image_size=32)
    before, modules, names = str(model), list(model.modules()), list(model.state_dict())
    with pytest.raises(RuntimeError), quickened(model):  # noqa: PT012 - the error comes from inside
        assert list(model.state_dict()) == names
        model(torch.zeros(2, 4, 32, 32))
    assert str(model) == before
    assert list(model.modules()) == modules
    assert not any("forward" in vars(module) for module in model.modules())


def test_what_it_does_not_know_stays_as_it_is():
    line = nn.Sequential(nn.Conv2d(3, 4, 3), nn.MaxPool2d(3, 2), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.MaxPool2d(2))
    images = torch.randn(2, 3, 15, 15, generator=torch.Generator().manual_seed(0))  # odd sides before the last pool
    expected = line(images)
    with quickened(line):
        torch.testing.assert_close(line(images), expected)
        with torch.autocast("cpu", torch.bfloat16):
            assert line(images).dtype == torch.bfloat16
