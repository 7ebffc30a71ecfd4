from types import SimpleNamespace

import pytest
import torch

from agopconsole.backend import devices
from agopconsole.errors import RequestError


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    properties = SimpleNamespace(name="H100", total_memory=80 << 30)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda name: properties)


@pytest.mark.parametrize(
    ("asked", "picked"), [("auto", "cuda:0"), ("cuda", "cuda:0"), ("cuda:1", "cuda:1"), ("cpu", "cpu")]
)
def test_the_fastest_device_is_the_default(two_gpus, asked, picked):
    assert str(devices.pick(asked)) == picked


def test_a_device_that_is_not_there_is_named_with_those_that_are(two_gpus):
    with pytest.raises(RequestError, match="there is no device 'cuda:2' here; choose from auto, cuda:0, cuda:1, cpu"):
        devices.pick("cuda:2")


def test_each_device_says_what_it_is(two_gpus):
    *gpus, cpu = devices.describe()
    assert [(gpu["device"], gpu["title"], gpu["memory"]) for gpu in gpus] == [
        ("cuda:0", "H100", 80 << 30),
        ("cuda:1", "H100", 80 << 30),
    ]
    assert (cpu["device"], cpu["memory"]) == ("cpu", None)


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_a_clock_waits_for_the_device_that_trains(monkeypatch, kind):
    waited = []
    for name in ("cuda", "mps"):
        monkeypatch.setattr(getattr(torch, name), "synchronize", lambda *_, name=name: waited.append(name))
    devices.synchronize(torch.device("cpu"))
    assert waited == []
    devices.synchronize(torch.device(kind))
    assert waited == [kind]
