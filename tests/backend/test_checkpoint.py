"""Checkpoints as people have them: wrapped, nested, damaged, or holding what must not be unpickled."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from agopconsole.backend.checkpoint import load_state, load_weights, save_weights
from agopconsole.errors import RequestError

TENSORS = {"conv.weight": torch.arange(6.0).reshape(2, 3), "bn.num_batches_tracked": torch.tensor(3)}


def equal(found):
    return found.keys() == TENSORS.keys() and all(torch.equal(found[k], v) for k, v in TENSORS.items())


def test_weights_come_back_with_their_facts(tmp_path):
    path = tmp_path / "run-1" / "best.safetensors"
    save_weights(path, TENSORS, {"model": "vgg11", "image_size": 32})
    loaded = load_weights(path)
    assert equal(loaded.tensors)
    assert (loaded.fact("model"), loaded.fact("image_size"), loaded.fact("nothing")) == ("vgg11", 32, None)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "_orig_mod.module."])
@pytest.mark.parametrize("nest", [None, "state_dict", "model"])
@pytest.mark.parametrize("suffix", [".pt", ".pth"])
def test_prefixes_and_nests_of_trainers_are_understood(tmp_path, prefix, nest, suffix):
    tensors = {prefix + name: tensor for name, tensor in TENSORS.items()}
    path = tmp_path / f"model{suffix}"
    torch.save(tensors if nest is None else {nest: tensors, "epoch": 3}, path)
    assert equal(load_weights(path).tensors)


def test_half_precision_weights_are_read_as_float32(tmp_path):
    path = tmp_path / "half.safetensors"
    save_file({"conv.weight": TENSORS["conv.weight"].half()}, path)
    assert torch.equal(load_weights(path).tensors["conv.weight"], TENSORS["conv.weight"])


class Trap:
    def __reduce__(self):
        return (open, ("trap.txt", "w"))


@pytest.mark.parametrize("extra", [np.float64(0.5), Trap()], ids=["numpy scalar", "code"])
def test_a_checkpoint_that_holds_more_than_tensors_is_refused_by_name(tmp_path, monkeypatch, extra):
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": TENSORS, "extra": extra}, tmp_path / "model.pt")
    with pytest.raises(RequestError, match=r"model\.pt.*more than tensors.*state_dict\(\) alone") as caught:
        load_weights(tmp_path / "model.pt")
    assert "\n" not in str(caught.value)
    assert "safe_globals" not in str(caught.value)
    assert not (tmp_path / "trap.txt").exists()


def test_a_pickled_number_of_numpy_is_named_with_the_way_to_convert_it(tmp_path):
    torch.save({"state_dict": TENSORS, "best": np.float64(0.5)}, tmp_path / "model.pt")
    with pytest.raises(RequestError, match=r"numpy.*float\(\) or int\(\) turns into a plain one"):
        load_weights(tmp_path / "model.pt")


@pytest.mark.parametrize("name", ["model.pt", "model.safetensors"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a checkpoint", b"\x00" * 100])
def test_a_damaged_file_is_an_error_in_one_line(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RequestError, match=name) as caught:
        load_weights(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_cut_file_is_an_error(tmp_path):
    save_weights(tmp_path / "whole.safetensors", TENSORS, {})
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "whole.safetensors").read_bytes()[:-4])
    with pytest.raises(RequestError, match="not a whole safetensors file"):
        load_weights(tmp_path / "cut.safetensors")


def test_a_file_that_is_not_there_or_holds_no_tensors_is_named(tmp_path):
    with pytest.raises(RequestError, match="no such file"):
        load_weights(tmp_path / "none.pt")
    torch.save({"epoch": 3}, tmp_path / "empty.pt")
    with pytest.raises(RequestError, match="holds no tensors"):
        load_weights(tmp_path / "empty.pt")


@pytest.mark.parametrize("content", [None, b"", b"rubbish"])
def test_a_state_that_cannot_be_read_is_none(tmp_path, content):
    if content is not None:
        (tmp_path / "last.pt").write_bytes(content)
    assert load_state(tmp_path / "last.pt") is None
