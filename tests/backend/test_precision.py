"""What `auto` picks where, and what no device can be asked for."""

import contextlib

import pytest
import torch

from agopconsole.backend.precision import Precision, pick_precision
from agopconsole.errors import RequestError

CPU, GPU, MPS = (torch.device(name) for name in ("cpu", "cuda:0", "mps"))


@pytest.fixture
def gpu(monkeypatch):
    """A GPU of which a test says what it can do."""

    def of(capability: tuple[int, int], *, bfloat16: bool = True) -> None:
        monkeypatch.setattr(torch.version, "hip", None)
        monkeypatch.setattr(torch.cuda, "device", contextlib.nullcontext)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: bfloat16)

    return of


@pytest.mark.parametrize(("amx", "picked"), [(True, "bfloat16"), (False, "float32")])
def test_auto_on_a_processor_asks_for_amx(monkeypatch, amx, picked):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True, "amx_bf16": amx}, raising=False)
    precision = pick_precision("auto", CPU)
    assert precision.name == picked
    assert precision.reason == f"cpu has {'' if amx else 'no '}AMX for bfloat16"


def test_auto_is_float32_where_torch_does_not_tell(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert pick_precision("auto", CPU).name == "float32"


@pytest.mark.parametrize(("capability", "picked"), [((7, 5), "float32"), ((8, 0), "bfloat16"), ((9, 0), "bfloat16")])
def test_auto_on_a_gpu_asks_for_tensor_cores(gpu, capability, picked):
    gpu(capability)
    assert pick_precision("auto", GPU).name == picked


def test_auto_elsewhere_is_float32():
    assert pick_precision("auto", MPS).name == "float32"


def test_what_a_device_cannot_do_is_said_in_one_line(gpu):
    with pytest.raises(RequestError, match=r"float16 needs a GPU.*trains on cpu; choose float32 or auto"):
        pick_precision("float16", CPU)
    gpu((5, 2), bfloat16=False)
    with pytest.raises(RequestError, match=r"bfloat16: cuda:0 cannot do it; choose float16"):
        pick_precision("bfloat16", GPU)


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_what_is_asked_for_is_what_is_picked(name):
    assert pick_precision(name, CPU) == Precision(name)


def test_only_float16_scales_its_loss():
    assert not Precision("float32").scaler(CPU).is_enabled()
    assert not Precision("bfloat16").scaler(CPU).is_enabled()
    assert Precision("float16").scaler(CPU).is_enabled()


def test_products_are_in_the_precision_and_weights_are_not():
    layer = torch.nn.Linear(4, 4)
    with Precision("bfloat16").autocast(CPU):
        assert layer(torch.ones(1, 4)).dtype == torch.bfloat16
    with Precision("float32").autocast(CPU):
        assert layer(torch.ones(1, 4)).dtype == torch.float32
    assert layer.weight.dtype == torch.float32
