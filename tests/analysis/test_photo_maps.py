"""Maps as the engine keeps them, read again without torch."""

import numpy as np
import pytest
import torch
from helpers.imports import loaded_by

from agopconsole.analysis.photo_maps import read_maps
from agopconsole.backend.map_files import save_maps
from agopconsole.backend.maps import LayerMaps, PhotoMaps
from agopconsole.errors import RequestError


@pytest.fixture
def kept(tmp_path):
    found = PhotoMaps(
        torch.rand(3, 8, 12),
        (LayerMaps("features.0", torch.rand(8, 12), torch.rand(8, 12)), LayerMaps("b", *torch.rand(2, 4, 6))),
        {"nfm": torch.rand(2, 3, 3, 3)},
    )
    save_maps(tmp_path / "maps.safetensors", found, tmp_path / "photo.png")
    return tmp_path / "maps.safetensors", found


def test_they_are_read_as_they_were_written(kept):
    path, found = kept
    read = read_maps(path)
    assert (read.path, read.photo_path) == (path, path.with_name("photo.png"))
    assert np.array_equal(read.photo, found.photo.numpy())
    assert [one.layer for one in read.layers] == ["features.0", "b"]
    for one, layer in zip(read.layers, found.layers, strict=True):
        assert np.array_equal(one.nfm, layer.nfm.numpy())
        assert np.array_equal(one.agop, layer.agop.numpy())


def test_they_are_read_without_torch(kept):
    code = "import sys; from pathlib import Path; from agopconsole.analysis.photo_maps import read_maps"
    modules, printed = loaded_by(f"{code}; print(len(read_maps(Path(sys.argv[1])).layers))", str(kept[0]))
    assert printed == "2\n"
    assert "torch" not in modules


@pytest.mark.parametrize("content", [None, b"rubbish", b"\x02\0\0\0\0\0\0\0{}"])
def test_another_file_is_refused_in_one_line(tmp_path, content):
    if content is not None:
        (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(RequestError, match="cannot be read") as refused:
        read_maps(tmp_path / "x.safetensors")
    assert "\n" not in str(refused.value)
