"""A run from its spec to its last event, on scikit-learn's digits."""

from pathlib import Path

import pytest
import torch

from agopconsole.backend import run as run_module
from agopconsole.backend.checkpoint import load_weights
from agopconsole.backend.events import (
    EpochDone,
    FeaturesReady,
    Finished,
    Note,
    OutOfMemoryError,
    Setup,
    Started,
    StoppedError,
)
from agopconsole.backend.run import Places, execute, measure_spec, start_network
from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec

BASE = {"dataset": "digits", "classes": "5-9", "limit": 48, "val_fraction": 0.05, "epochs": 1, "batch_size": 24}


def places(tmp_path, checkpoint=None) -> Places:
    return Places(tmp_path / "run", tmp_path / "features", tmp_path / "data", checkpoint)


def events_of(tmp_path, checkpoint=None, **fields):
    return list(execute(RunSpec.parse({**BASE, **fields}), places(tmp_path, checkpoint), should_stop=lambda: False))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Best weights of a run on the digits 0 to 4."""
    folder = tmp_path_factory.mktemp("source")
    events_of(folder, classes="0-4", optimizer="adamw", init="kaiming_normal")
    return folder / "run" / "best.safetensors"


def test_events_come_in_order(tmp_path, source):
    events = events_of(tmp_path, source, init="kaiming_agop", source="dataset:digits:0-4", agop_images=8)
    kinds = [type(event) for event in events]
    assert [kind for kind in kinds if kind is not Note] == [
        Setup,
        FeaturesReady,
        Started,
        *[kind for kind in kinds if kind.__name__ == "StepsDone"],
        EpochDone,
        Finished,
    ]
    setup, started = events[0], next(event for event in events if isinstance(event, Started))
    assert (setup.device, setup.data_origin) == ("cpu", "built into scikit-learn")
    assert setup.environment["torch"] == torch.__version__
    assert [layer.layer for layer in started.layers][:2] == ["features.0", "features.3"]
    assert len(started.layers) == 11


def test_the_precision_that_was_picked_is_recorded_and_a_wrong_one_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": False}, raising=False)
    events = execute(RunSpec.parse({**BASE, "precision": "auto"}), places(tmp_path), should_stop=lambda: False)
    setup, _, note = (next(events) for _ in range(3))
    assert setup.environment["precision"] == "float32"
    assert note == Note("precision float32: cpu has no AMX for bfloat16")
    spec = RunSpec.parse({**BASE, "precision": "float16", "device": "cpu"})
    with pytest.raises(RequestError, match="float16 needs a GPU"):
        list(execute(spec, places(tmp_path), should_stop=lambda: False))


def test_two_inits_of_one_seed_start_from_the_same_classifier(tmp_path, source):
    states = {}
    for init in ("kaiming_uniform", "kaiming_nfm"):
        events_of(tmp_path / init, source, init=init, source="dataset:digits:0-4", lr=1e-20, weight_decay=0)
        states[init] = load_weights(tmp_path / init / "run" / "best.safetensors").tensors
    first, second = states.values()
    # The steps taken are too small to be seen, so the best weights are the start.
    same = {name for name in first if torch.allclose(first[name], second[name], rtol=0, atol=1e-15)}
    assert {name for name in first if name.startswith("classifier")} <= same
    assert not any(name.endswith("weight") for name in same if name.startswith("features"))


def test_the_same_spec_twice_gives_the_same_numbers_bit_for_bit(tmp_path):
    histories = []
    for name in ("a", "b"):
        (epoch,) = [e.metrics for e in events_of(tmp_path / name) if isinstance(e, EpochDone)]
        histories.append((epoch.train_loss, epoch.val_loss, epoch.gradient_norm))
    assert histories[0] == histories[1]


def test_features_are_cached_by_what_they_were_computed_from(tmp_path, source):
    def extractions(**fields):
        spec = {"init": "agop", "source": "dataset:digits:0-4", "agop_images": 4, "lr": 1e-9, **fields}
        return [e for e in events_of(tmp_path, source, **spec) if isinstance(e, FeaturesReady)]

    (first,) = extractions()
    assert (first.outputs, first.relative_error, first.images) == ("all", None, 4)
    assert (tmp_path / "features" / first.file).is_file()
    assert extractions() == []
    (probes,) = extractions(agop_outputs="3")
    assert probes.key != first.key
    assert probes.relative_error > 0
    (other_seed,) = extractions(seed=1)
    assert other_seed.key not in (first.key, probes.key)


def test_inspect_measures_what_the_run_would_start_from(tmp_path):
    measured = measure_spec(RunSpec.parse(BASE), places(tmp_path))
    started = next(event for event in events_of(tmp_path) if isinstance(event, Started))
    assert measured == started.layers


def test_a_stop_before_the_first_step_is_a_stop(tmp_path):
    with pytest.raises(StoppedError):
        list(execute(RunSpec.parse(BASE), places(tmp_path), should_stop=lambda: True))


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total"),
        RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
@pytest.mark.parametrize("later", [None, RuntimeError("CUDA error: operation failed due to an error during capture")])
def test_a_device_without_memory_is_told_from_a_bug(tmp_path, monkeypatch, error, later):
    def full(*_):
        try:
            raise error
        finally:
            if later is not None:
                raise later  # as the recording of a graph does that breaks off

    monkeypatch.setattr(run_module, "measure_start", full)
    with pytest.raises(OutOfMemoryError, match=r"the device's memory is too small: CUDA.*(of memory|ALLOC_FAILED)"):
        events_of(tmp_path)
    monkeypatch.setattr(run_module, "measure_start", lambda *_: torch.ones(2) @ torch.ones(3))
    with pytest.raises(RuntimeError):
        events_of(tmp_path)


def test_a_device_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(RequestError, match=r"cuda:99.*auto.*cpu"):
        list(execute(RunSpec.parse({**BASE, "device": "cuda:99"}), places(Path()), should_stop=lambda: False))


def test_a_source_whose_layers_do_not_correspond_fits_only_with_a_fallback(tmp_path, source):
    fields = {"init": "kaiming_nfm", "source": "dataset:digits:0-4", "model": "vgg13", "layers": "first:3"}
    with pytest.raises(RequestError, match=r"is a vgg11, the run's network a vgg13: layer 'features\.5' corr"):
        events_of(tmp_path, source, **fields)
    events = events_of(tmp_path, source, **fields, fallback="kaiming_normal")
    notes = [e.message for e in events if isinstance(e, Note)]
    assert "layers of the source, matched by order: features.0 for features.0, features.3 for features.2" in notes
    warnings = [e.message for e in events if isinstance(e, Note) and e.level == "warning"]
    assert warnings == ["the source does not fit features.5: started by kaiming_normal"]
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize(
    "fields",
    [
        {"init": "kaiming_nfm", "basis": "centred", "scale": "lsuv"},
        {"init": "nfm", "basis": "centred_rotated"},
        {"init": "nfm", "basis": "aligned"},
        {"init": "kaiming_agop", "agop_images": 4},
        {"init": "pretrained"},
    ],
)
def test_a_source_of_another_network_starts_the_layers_in_the_same_places(tmp_path, source, fields):
    spec = RunSpec.parse(
        {**BASE, "source": "dataset:digits:0-4", "model": "vgg11_bn", "source_model": "vgg11", **fields}
    )
    started = start_network(spec, places(tmp_path, source)).state_dict()
    theirs = load_weights(source).tensors
    for ours, name in (("features.4", "features.3"), ("features.25", "features.18")):
        assert bool(started[f"{ours}.weight"].isfinite().all())
        drawn, of = started[f"{ours}.weight"].flatten(1), theirs[f"{name}.weight"].flatten(1)
        if fields["init"] == "pretrained":
            assert torch.equal(drawn, of)
        elif "basis" not in fields:  # AGOP = W^T D W: what is drawn from it is in the span of the source's filters
            basis = torch.linalg.svd(of.double(), full_matrices=False).Vh
            assert (drawn.double() - drawn.double() @ basis.T @ basis).norm() < 1e-4 * drawn.norm()


def test_features_of_a_source_are_extracted_once_for_both_networks(tmp_path, source):
    fields = {"init": "agop", "source": "dataset:digits:0-4", "agop_images": 4}
    for model, new in (("vgg11", 1), ("vgg11_bn", 0)):
        spec = {**fields, "model": model, "source_model": "vgg11"}
        assert sum(isinstance(e, FeaturesReady) for e in events_of(tmp_path, source, **spec)) == new


@pytest.mark.parametrize(("micro_batch", "images"), [(None, 48), (12, 12), (1, 2)])
def test_a_start_is_measured_on_no_more_images_than_the_memory_holds_at_once(
    tmp_path, monkeypatch, micro_batch, images
):
    seen = []
    measure = run_module.measure_start
    monkeypatch.setattr(run_module, "measure_start", lambda *given: seen.append(len(given[1])) or measure(*given))
    spec = RunSpec.parse(BASE)
    for event in execute(spec, places(tmp_path), should_stop=lambda: False, micro_batch=micro_batch):
        if isinstance(event, Started):
            break
    assert seen == [images]
