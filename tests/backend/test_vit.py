"""The vision transformers: their start, and a run of one with features of q, k, v and all other layers."""

import math

import pytest
import torch

from agopconsole.backend import agop
from agopconsole.backend.checkpoint import save_weights
from agopconsole.backend.events import FeaturesReady, Finished, Started
from agopconsole.backend.models import build_model
from agopconsole.backend.run import Places, execute, measure_spec
from agopconsole.backend.vit import build_vit, sine_positions, trained_size
from agopconsole.catalogue import MODELS
from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec

LAYERS = (*MODELS["vit_tiny"].convolutions, *MODELS["vit_tiny"].others)


@pytest.fixture(scope="module")
def tiny():
    return build_model("vit_tiny", classes=5, image_size=32, seed=1)


def test_gradients_reach_every_layer_of_a_fresh_network(tiny):
    matrices = agop(tiny, torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)))
    assert tuple(matrices) == LAYERS
    assert all(0 < matrix.trace() < math.inf for matrix in matrices.values())


def test_the_head_starts_from_the_variance_of_one_over_its_width():
    head = build_vit("vit_tiny", classes=4000, image_size=32).heads.head
    assert float(head.weight.detach().square().mean()) == pytest.approx(1 / 96, rel=0.02)  # 384,000 draws: 0.002
    assert not head.bias.detach().any()


def test_positions_start_from_sines_of_the_row_and_of_the_column(tiny):
    found = tiny.encoder.pos_embedding.detach()[0]
    assert found.shape == (65, 96)
    for y, x, i in ((0, 0, 0), (3, 5, 0), (3, 5, 7), (7, 2, 23)):
        frequency = 10_000 ** (-i / 24)
        expected = [f(place * frequency) for place in (y, x) for f in (math.sin, math.cos)]
        assert found[1 + 8 * y + x, i::24].tolist() == pytest.approx(expected, abs=1e-5)
    assert float(found[0].norm()) < 0.3  # the class token's: N(0, 0.02^2), norm 0.2
    assert len(sine_positions(8, 96).unique(dim=0)) == 64


@pytest.mark.parametrize(("name", "size"), [("vit_tiny", 32), ("vit_tiny", 64), ("vit_b_32", 224)])
def test_the_size_that_weights_are_for_is_read_off_them(name, size):
    with torch.device("meta"):
        weights = build_model(name, classes=3, image_size=size).state_dict()
    assert trained_size(weights) == size
    assert trained_size({"features.0.weight": torch.zeros(1)}) is None


BASE = {
    "model": "vit_tiny",
    "dataset": "digits",
    "classes": "5-9",
    "limit": 48,
    "val_fraction": 0.05,
    "epochs": 1,
    "source": "dataset:digits:0-4",
    "agop_images": 2,
}


def asked(folder, checkpoint, **fields):
    places = Places(folder / "run", folder / "features", folder / "data", checkpoint)
    return RunSpec.parse({**BASE, **fields}), places


def test_a_run_draws_every_layer_from_a_sources_features(tmp_path, tiny):
    checkpoint = tmp_path / "source.safetensors"
    save_weights(checkpoint, tiny.state_dict(), {"model": "vit_tiny", "image_size": 32})
    asking = asked(tmp_path, checkpoint, init="kaiming_agop", layers="all")
    events = list(execute(*asking, should_stop=lambda: False))
    assert [event.layers for event in events if isinstance(event, FeaturesReady)] == [len(LAYERS)]
    (started,) = (event for event in events if isinstance(event, Started))
    assert sorted(layer.layer for layer in started.layers) == sorted(LAYERS)
    assert all(0.5 < layer.weight_variance < 1.5 for layer in started.layers)  # trace 2, whatever the source's scale
    assert isinstance(events[-1], Finished)
    files = set((tmp_path / "features").iterdir())
    assert measure_spec(*asking) == started.layers  # from the matrices that are kept
    assert set((tmp_path / "features").iterdir()) == files


def test_an_nfm_and_the_weights_themselves_need_no_head(tmp_path, tiny):
    checkpoint = tmp_path / "body.safetensors"
    body = {name: tensor for name, tensor in tiny.state_dict().items() if not name.startswith("heads")}
    save_weights(checkpoint, body, {"model": "vit_tiny"})
    blocks = "conv_proj,encoder.layers.encoder_layer_0"
    for init in ("kaiming_nfm", "pretrained"):
        starts = measure_spec(*asked(tmp_path, checkpoint, init=init, layers=blocks))
        assert len(starts) == len(LAYERS)
    with pytest.raises(RequestError, match=r"layer 'heads\.head': the source has no NFM of that name"):
        measure_spec(*asked(tmp_path, checkpoint, init="kaiming_nfm", layers="all"))
    del body["encoder.layers.encoder_layer_3.self_attention.in_proj_weight"]
    save_weights(checkpoint, body, {"model": "vit_tiny"})
    with pytest.raises(RequestError, match=r"lacks 'encoder.*in_proj_weight', so it is no vit_tiny"):
        measure_spec(*asked(tmp_path, checkpoint, init="kaiming_nfm", layers=blocks))


def test_a_source_of_another_size_can_be_drawn_from_but_not_be_aligned_with(tmp_path, tiny):
    checkpoint = tmp_path / "source.safetensors"
    save_weights(checkpoint, tiny.state_dict(), {})
    fields = {"init": "kaiming_agop", "layers": "conv", "image_size": 16}
    assert measure_spec(*asked(tmp_path, checkpoint, **fields))[0].dim == 48
    with pytest.raises(RequestError, match="for images of 32 px and takes none of 16; ask for image_size 32"):
        measure_spec(*asked(tmp_path, checkpoint, basis="aligned", **fields))
