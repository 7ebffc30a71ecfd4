"""The GPUs that a driver lists, with a program of the test's own in the driver's place."""

import pytest

from agopconsole.errors import RequestError
from agopconsole.queue import devices
from agopconsole.queue.devices import ANY, CPU, Device, Gpu, choose, parse_gpus, read_gpus, visible

LINES = "1, GPU-bbbb, 81920, 40000, NVIDIA H200\n0, GPU-aaaa, 81920, 81000, NVIDIA H100\n"
GIB = 2**30
TWO = [
    Gpu(0, "GPU-aaaa", 80 * GIB, 81000 * 2**20, "NVIDIA H100"),
    Gpu(1, "GPU-bbbb", 80 * GIB, 40000 * 2**20, "NVIDIA H200"),
]


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """Puts an `nvidia-smi` on the path that prints what it is given, alone."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    def driver(text, status=0):
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\nprintf '%s' '{text}'\nexit {status}\n")
        program.chmod(0o755)

    return driver


def test_the_driver_lists_its_gpus_in_the_order_of_the_bus(driver):
    driver(LINES)
    assert read_gpus() == TWO


def test_without_a_driver_there_are_no_gpus(driver):
    assert read_gpus() == []
    driver(LINES, status=9)
    assert read_gpus() == []
    driver("NVIDIA-SMI has failed because it could not communicate with the driver\n")
    assert read_gpus() == []


def test_a_driver_that_does_not_answer_is_none(driver, monkeypatch):
    def hang(command, timeout, **_):
        raise devices.subprocess.TimeoutExpired(command, timeout)

    driver(LINES)
    monkeypatch.setattr(devices.subprocess, "run", hang)
    assert read_gpus() == []


def test_memory_that_is_not_told_is_none():
    assert parse_gpus("0, GPU-aaaa, [N/A], [N/A], Orin\n") == [Gpu(0, "GPU-aaaa", 0, 0, "Orin")]


@pytest.mark.parametrize(
    ("allowed", "indices"),
    [(None, [0, 1]), ("1", [1]), ("1,0", [1, 0]), ("GPU-bb", [1]), ("0,7,1", [0]), ("", []), ("-1", []), ("GPU", [])],
)
def test_what_the_user_hides_stays_hidden(allowed, indices):
    assert [gpu.index for gpu in visible(TWO, allowed)] == indices


def test_auto_is_every_gpu_and_the_processor_for_those_that_ask_for_it(driver, monkeypatch):
    driver(LINES)
    assert choose("auto") == (Device("cuda:0", "GPU-aaaa"), Device("cuda:1", "GPU-bbbb"), CPU)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert choose("auto") == (Device("cuda:0", "GPU-bbbb"), CPU)


def test_without_a_gpu_auto_leaves_the_choice_to_the_job(driver):
    assert choose("auto") == (ANY,)


def test_devices_are_chosen_by_name_each_once(driver):
    driver(LINES)
    assert choose("cuda:1, cpu,cuda:1") == (Device("cuda:1", "GPU-bbbb"), CPU)
    assert choose("cuda") == (Device("cuda:0", "GPU-aaaa"),)


@pytest.mark.parametrize("wanted", ["cuda:2", "gpu", "", "cuda:0,,cpu", "0"])
def test_a_device_that_is_not_here_is_refused(driver, wanted):
    driver(LINES)
    with pytest.raises(RequestError, match=r"no device .* here.*choose from auto, cuda:0, cuda:1, cpu"):
        choose(wanted)


def test_a_process_is_bound_to_a_gpu_by_its_uuid():
    device = Device("cuda:1", "GPU-bbbb")
    assert device.environment() == {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "GPU-bbbb"}
    assert device.inside == "cuda:0"
    assert CPU.environment()["CUDA_VISIBLE_DEVICES"] == ""
    assert ANY.environment() == {}
