"""Where trained weights come from, and what is said when they do not fit."""

import hashlib

import pytest
import torch

from agopconsole.backend import sources
from agopconsole.backend.checkpoint import save_weights
from agopconsole.backend.models import build_model
from agopconsole.errors import RequestError, WorkError
from agopconsole.spec import RunSpec


def silent(line):
    pass


def load(spec, tmp_path, checkpoint=None, mirror=None):
    return sources.load_source(spec, checkpoint, tmp_path / "data", mirror=mirror, report=silent)


@pytest.fixture
def trained(tmp_path):
    """A vgg11 of 5 classes as a run leaves it."""
    path = tmp_path / "best.safetensors"
    model = build_model("vgg11", classes=5, image_size=32, seed=3)
    save_weights(path, model.state_dict(), {"model": "vgg11", "image_size": 48})
    return path


def spec_from(source, **fields):
    return RunSpec.parse({"init": "kaiming_nfm", "source": str(source), **fields})


def test_a_file_gives_its_network_its_size_and_its_outputs(trained, tmp_path):
    source = load(spec_from(trained), tmp_path)
    network = source.network(with_head=True)
    expected = build_model("vgg11", classes=5, image_size=32, seed=3).eval()
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(network(images), expected(images))
    assert (source.title, source.image_size, source.outputs) == ("best.safetensors", 48, 5)


def test_a_source_run_is_read_from_its_checkpoint(trained, tmp_path):
    source = load(spec_from("run:7"), tmp_path, checkpoint=trained)
    assert source.title == "run:7"


@pytest.mark.parametrize("first", ["imagenet", "noise", "elsewhere.pt"])
def test_a_later_round_reads_the_round_before_it_whatever_the_first_began_with(trained, tmp_path, first):
    source = load(spec_from(first, round=3), tmp_path, checkpoint=trained)
    assert (source.title, source.image_size) == ("round 2", 48)


def test_the_digest_tells_other_weights_apart(trained, tmp_path):
    other = tmp_path / "other.safetensors"
    save_weights(other, build_model("vgg11", classes=5, image_size=32, seed=4).state_dict(), {})
    digests = {load(spec_from(path), tmp_path).digest for path in (trained, other)}
    assert len(digests) == 2
    assert load(spec_from(trained), tmp_path).digest in digests


def test_weights_without_a_head_give_an_nfm_but_no_agop(tmp_path):
    path = tmp_path / "headless.safetensors"
    state = build_model("vgg11", classes=5, image_size=32).state_dict()
    save_weights(path, {k: v for k, v in state.items() if k.startswith("features")}, {})
    source = load(spec_from(path), tmp_path)
    weight = source.network(with_head=False).get_submodule("features.0").weight
    assert torch.equal(weight, state["features.0.weight"])
    with pytest.raises(RequestError, match="holds no head"):
        source.network(with_head=True)


def test_weights_of_no_layer_of_the_model_are_an_error_not_random_weights(tmp_path):
    path = tmp_path / "foreign.safetensors"
    save_weights(path, {"encoder.weight": torch.zeros(3)}, {})
    with pytest.raises(RequestError, match=r"foreign.*lacks 'features\.0\.weight'.*no vgg11"):
        load(spec_from(path), tmp_path).network(with_head=False)


def test_weights_that_are_not_finite_are_refused_by_name(tmp_path):
    path = tmp_path / "diverged.safetensors"
    save_weights(path, {"features.0.weight": torch.ones(2), "features.3.weight": torch.tensor([1, torch.nan])}, {})
    with pytest.raises(RequestError, match=r"diverged.*features\.3\.weight holds values that are not finite"):
        load(spec_from(path), tmp_path)


def test_a_tensor_of_another_shape_is_named_with_both_shapes(tmp_path):
    path = tmp_path / "narrow.safetensors"
    state = build_model("vgg11", classes=5, image_size=32).state_dict()
    save_weights(path, {**state, "features.3.weight": torch.zeros(64, 64, 3, 3)}, {})
    with pytest.raises(RequestError, match=r"features\.3\.weight.*\(64, 64, 3, 3\).*\(128, 64, 3, 3\)"):
        load(spec_from(path), tmp_path).network(with_head=True)


@pytest.fixture
def of_vgg11(tmp_path):
    """A vgg11 in a file that does not say so."""
    path = tmp_path / "weights.safetensors"
    save_weights(path, build_model("vgg11", classes=5, image_size=32, seed=3).state_dict(), {"model": "a fine one"})
    return path


@pytest.mark.parametrize(
    "fields", [{}, {"model": "vgg11_bn"}, {"model": "resnet18", "source_model": "vgg11", "fallback": "default"}]
)
def test_a_file_is_of_the_network_that_it_says_or_its_tensors_tell_whatever_the_run_s_is(
    trained, of_vgg11, tmp_path, fields
):
    for path in (trained, of_vgg11):
        source = load(spec_from(path, **fields), tmp_path)
        assert source.model_name == "vgg11"
        assert source.network(with_head=True)(torch.zeros(1, 3, 32, 32)).shape == (1, 5)


def test_a_file_that_is_not_of_the_network_that_the_run_says_is_refused_with_what_it_is(trained, of_vgg11, tmp_path):
    fields = {"source_model": "vgg11_bn", "model": "vgg11", "init": "kaiming_nfm"}
    with pytest.raises(RequestError, match=r"source 'best\.safetensors' is a vgg11, and source_model says vgg11_bn"):
        load(spec_from(trained, **fields), tmp_path)
    with pytest.raises(RequestError, match=r"lacks 'features\.4\.weight', so it is no vgg11_bn; it would be a vgg11"):
        load(spec_from(of_vgg11, **fields), tmp_path).network(with_head=False)


def test_a_file_that_could_be_of_two_networks_asks_which(of_vgg11, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "fitting", lambda tensors: ["vgg11", "resnet18"])
    with pytest.raises(RequestError, match="could be a vgg11 or resnet18: say which one by source_model"):
        load(spec_from(of_vgg11, model="vgg16"), tmp_path)


def test_in_a_later_round_the_source_is_the_run_s_own_network_whatever_the_first_began_with(trained, tmp_path):
    spec = spec_from("dataset:digits", model="vgg11", source_model="vgg11_bn", round=2)
    assert load(spec, tmp_path, checkpoint=trained).model_name == "vgg11"


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A mirror folder with small weights under ImageNet's kind of name, to which torchvision points."""
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    torch.save(build_model("vgg11", classes=5, image_size=32).state_dict(), mirror / "weights")
    digits = hashlib.sha256((mirror / "weights").read_bytes()).hexdigest()[:8]
    name = f"vgg11-{digits}.pth"
    (mirror / "weights").rename(mirror / name)

    class Weights:
        class DEFAULT:
            url = f"http://127.0.0.1:9/{name}"

    monkeypatch.setattr(sources.torchvision.models, "get_model_weights", lambda model: Weights)
    return mirror, name


def test_imagenet_weights_come_from_a_mirror_and_stay(published, tmp_path):
    mirror, name = published
    spec = spec_from("imagenet")
    source = load(spec, tmp_path, mirror=str(mirror))
    assert (source.title, source.image_size) == ("imagenet", 224)
    assert (tmp_path / "data" / "weights" / name).is_file()
    (mirror / name).unlink()
    assert load(spec, tmp_path).digest == source.digest


def test_imagenet_weights_are_those_of_the_source_s_network(published, tmp_path, monkeypatch):
    mirror, _ = published
    asked = []
    given = sources.torchvision.models.get_model_weights
    monkeypatch.setattr(
        sources.torchvision.models, "get_model_weights", lambda model: asked.append(model) or given(model)
    )
    source = load(spec_from("imagenet", model="vgg11_bn", source_model="vgg11"), tmp_path, mirror=str(mirror))
    assert (asked, source.model_name) == (["vgg11"], "vgg11")


def test_imagenet_weights_with_another_checksum_are_refused(published, tmp_path):
    mirror, name = published
    (mirror / name).write_bytes(b"something else")
    with pytest.raises(WorkError, match=name):
        load(spec_from("imagenet"), tmp_path, mirror=str(mirror))
    assert not (tmp_path / "data" / "weights" / name).exists()


def test_offline_the_error_says_what_is_missing_where_it_goes_and_what_works_here(published, tmp_path):
    with pytest.raises(WorkError, match=r"imagenet.*vgg11-.*\.pth.*refused.*dataset:digits") as caught:
        load(spec_from("imagenet"), tmp_path)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "data" / "weights") in str(caught.value)
