"""What `auto` is on machines of several kinds, each pretended."""

import re

import pytest

from agopconsole import processor
from agopconsole.backend import devices as engine
from agopconsole.queue import machine
from agopconsole.queue.devices import Gpu

TWO = [Gpu(0, "GPU-a", 0, 0, "NVIDIA H200"), Gpu(1, "GPU-b", 0, 0, "NVIDIA T4")]


@pytest.fixture
def asked(monkeypatch):
    """Asks what is here, on a machine with those GPUs, that build of torch, of that system."""

    def asked(gpus=(), *, torch="2.15.0+cu132", system=("Linux", "x86_64"), allowed=None):
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if allowed is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", allowed)
        monkeypatch.setattr(machine, "read_gpus", lambda: list(gpus))
        monkeypatch.setattr(machine.metadata, "version", lambda name: torch)
        monkeypatch.setattr(machine.platform, "system", lambda: system[0])
        monkeypatch.setattr(machine.platform, "machine", lambda: system[1])
        monkeypatch.setattr(machine, "processor", lambda: "a processor")
        return machine.this_machine.__wrapped__()

    return asked


@pytest.mark.parametrize(
    ("given", "devices"),
    [
        ({}, {"cpu": "a processor"}),
        ({"gpus": TWO}, {"cuda:0": "NVIDIA H200", "cuda:1": "NVIDIA T4", "cpu": "a processor"}),
        ({"gpus": TWO, "allowed": "1"}, {"cuda:0": "NVIDIA T4", "cpu": "a processor"}),
        ({"gpus": TWO, "allowed": ""}, {"cpu": "a processor"}),
        ({"gpus": TWO, "torch": "2.9.0"}, {"cuda:0": "NVIDIA H200", "cuda:1": "NVIDIA T4", "cpu": "a processor"}),
        ({"gpus": TWO, "torch": "2.9.0+cpu"}, {"cpu": "a processor"}),
        ({"torch": "2.9.0", "system": ("Darwin", "arm64")}, {"mps": "a processor", "cpu": "a processor"}),
        ({"torch": "2.9.0", "system": ("Darwin", "x86_64")}, {"cpu": "a processor"}),
    ],
)
def test_the_first_device_is_the_one_that_auto_takes(asked, given, devices):
    found = asked(**given)
    assert found.devices == devices
    assert found.device("auto") == next(iter(devices))
    assert list(found.devices) == list(devices)


def test_an_amd_gpu_is_there_where_torch_and_its_driver_are(asked, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_AMD", tmp_path / "kfd")
    assert asked(torch="2.9.0+rocm6.4").device("auto") == "cpu"
    (tmp_path / "kfd").touch()
    assert asked(torch="2.9.0+rocm6.4").device("auto") == "cuda:0"
    assert asked(torch="2.9.0").device("auto") == "cpu"


def test_it_says_of_this_machine_what_the_engine_says():
    found = machine.this_machine()
    assert found.device("auto") == str(engine.pick("auto")) == engine.available()[0]
    assert found.devices[found.device("auto")] == engine.hardware(engine.pick("auto"))


def test_a_processor_has_a_name_and_cores(tmp_path, monkeypatch):
    assert re.fullmatch(r"\S.*, [1-9]\d* cores?", processor.processor())
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(processor.os, "cpu_count", lambda: 2)
    (tmp_path / "cpuinfo").write_text("processor : 0\nmodel name\t: Intel(R) Xeon(R)  Processor\nflags : amx_tile\n")
    assert processor.processor() == "Intel Xeon Processor, 2 cores"
    (tmp_path / "cpuinfo").write_text("processor : 0\nBogoMIPS : 48\n")
    assert processor.processor() == f"{processor.platform.processor() or processor.platform.machine()}, 2 cores"
