"""Maps of a photo against dense matrices times unfolded patches."""

import pytest
import torch
from helpers.networks import odd_net, some_images
from PIL import Image
from torch import nn
from torch.nn import functional

from agopconsole.backend import nfm
from agopconsole.backend.maps import convolution_map, layer_inputs, source_maps
from agopconsole.backend.models import build_model
from agopconsole.backend.places import Places
from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec


def test_the_map_of_an_odd_convolution_of_groups_is_the_mean_norm_of_its_matrices_times_each_patch():
    torch.manual_seed(0)
    layer = nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2).double()
    model, inputs = nn.Sequential(layer), torch.randn(2, 4, 9, 8, dtype=torch.float64)
    matrices = nfm(model)
    expected = []
    for group, channels in enumerate(inputs[:1].chunk(2, 1)):
        patches = functional.unfold(channels, (3, 2), dilation=(1, 2), padding=(1, 2), stride=(2, 1))[0]
        norms = (matrices[f"0[{group}]"].dense() @ patches).norm(dim=0)
        expected.append((norms - norms.min()) / (norms.max() - norms.min()))
    found = convolution_map(model, "0", inputs, matrices)
    assert found.shape == layer(inputs).shape[2:]
    assert torch.allclose(found.flatten(), torch.stack(expected).mean(0))


def test_the_input_of_a_layer_is_kept_as_the_layer_saw_it():
    model = nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU(), nn.Dropout(0.5), nn.Conv2d(3, 3, 1), nn.ReLU(inplace=True))
    images = torch.randn(1, 3, 4, 4)
    inputs = layer_inputs(model, images, ["0", "3"])
    assert torch.equal(inputs["0"], images)
    assert torch.equal(inputs["3"], model[0](images).relu())
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())


def test_a_layer_that_is_not_reached_is_named():
    model = odd_net()
    model.spare = nn.Conv2d(3, 3, 1)
    with pytest.raises(ValueError, match="layer 'spare' is not reached"):
        layer_inputs(model, some_images(), ["spare"])


def test_every_convolution_of_a_source_shows_what_its_matrices_see(tmp_path):
    torch.save(build_model("vgg11", classes=5, image_size=32).state_dict(), tmp_path / "source.pt")
    wanted = {"init": "agop", "image_size": 32, "agop_images": 2, "source": str(tmp_path / "source.pt")}
    spec = RunSpec.parse({**wanted, "layers": "first:2", "agop_power": 0.5})
    places = Places(tmp_path, tmp_path / "features", tmp_path / "data")
    photo = Image.effect_noise((60, 48), 60).convert("RGB")
    found = source_maps(spec, places, photo, size=32)
    assert found.photo.shape == (3, 32, 40)
    assert [layer.layer for layer in found.layers] == ["features.0", "features.3"]
    assert [layer.nfm.shape for layer in found.layers] == [(32, 40), (16, 20)]
    assert {kind: vectors.shape for kind, vectors in found.eigenvectors.items()} == {
        "nfm": (9, 3, 3, 3),
        "agop": (9, 3, 3, 3),
    }
    whole = source_maps(RunSpec.parse({**wanted, "layers": "first:2"}), places, photo, size=32)
    assert torch.allclose(whole.layers[1].agop, found.layers[1].agop, atol=1e-3)  # of the root, whatever the power
    with pytest.raises(RequestError, match="needs a convolution"):
        source_maps(RunSpec.parse({**wanted, "layers": "classifier.0"}), places, photo, size=32)
