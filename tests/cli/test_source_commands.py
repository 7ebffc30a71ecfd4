"""`extract`, `ansatz` and `maps` of a source whose network is not the one that the options name."""

import json

import pytest
from PIL import Image

from agopconsole.analysis.photo_maps import read_maps
from agopconsole.backend.checkpoint import save_weights
from agopconsole.backend.feature_files import load_features
from agopconsole.backend.models import build_model
from agopconsole.catalogue import MODELS


@pytest.fixture
def source(tmp_path):
    """A vgg11_bn in a file that does not say so."""
    path = tmp_path / "mine.safetensors"
    save_weights(path, build_model("vgg11_bn", classes=3, image_size=32).state_dict(), {})
    return path


def test_the_features_of_a_file_are_those_of_the_network_that_its_tensors_tell(cli, source, tmp_path):
    status, _, err = cli("extract", "--source", source, "--kind", "nfm", "--out", tmp_path / "all.safetensors")
    assert (status, "8 matrices" in err) == (0, True)
    assert set(load_features(tmp_path / "all.safetensors")) == set(MODELS["vgg11_bn"].convolutions)


def test_layers_are_those_of_the_network_that_the_source_is_said_to_be(cli, source, tmp_path):
    asked = ("--source", source, "--source-model", "vgg11_bn", "--layers", "features.4")
    out = tmp_path / "one.safetensors"
    assert cli("extract", *asked, "--kind", "nfm", "--out", out)[0] == 0
    assert list(load_features(out)) == ["features.4"]
    status, printed, _ = cli("ansatz", *asked, "--agop-images", "2", "--format", "json")
    assert (status, [row["layer"] for row in json.loads(printed)]) == (0, ["features.4"])
    Image.new("RGB", (40, 40), "red").save(tmp_path / "photo.png")
    status, _, err = cli("maps", tmp_path / "photo.png", *asked, "--agop-images", "2", "--size", "32")
    assert (status, "maps of 1 layer\n" in err) == (0, True)
    out = tmp_path / "maps.safetensors"
    assert cli("maps", tmp_path / "photo.png", *asked, "--agop-images", "2", "--size", "32", "--out", out)[0] == 0
    drawn = Image.open(tmp_path / "photo-maps.png")
    assert [one.nfm.shape for one in read_maps(out).layers] == [(16, 16)]
    assert drawn.width > 2 * 32
    status, _, err = cli("maps", tmp_path / "photo.png", *asked, "--out", "maps.jpg")
    assert (status, "must end in .png or .safetensors" in err) == (2, True)


def test_a_file_of_options_may_name_the_network_and_a_wrong_one_is_told(cli, source, tmp_path):
    out, config = tmp_path / "x.safetensors", tmp_path / "run.toml"
    for named, told in (("vgg11_bn", False), ("vgg13", True)):
        config.write_text(f'source = "{source}"\nsource_model = "{named}"\n')
        status, _, err = cli("extract", "--config", config, "--kind", "nfm", "--out", out)
        assert (status, "holds the tensors of a vgg11_bn, not of a vgg13" in err) == (0, told)
