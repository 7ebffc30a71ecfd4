"""The trainer against a plain loop, and against itself taken up again."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from agopconsole.backend import nfm
from agopconsole.backend import train as train_module
from agopconsole.backend.ansatz import measure_ansatz
from agopconsole.backend.checkpoint import load_state, load_weights
from agopconsole.backend.data import Images, Pictures, epoch_order
from agopconsole.backend.events import (
    AnsatzMeasured,
    DivergedError,
    EpochDone,
    Finished,
    Note,
    StepsDone,
    StoppedError,
)
from agopconsole.backend.precision import Precision
from agopconsole.backend.step import Stepper, batch_sizes
from agopconsole.backend.train import Trainable, train
from agopconsole.metrics import EpochMetrics, stayed_at_chance
from agopconsole.spec import RunSpec

CPU = torch.device("cpu")


def spec_of(**fields) -> RunSpec:
    return RunSpec.parse({"epochs": 3, "batch_size": 10, "lr": 0.05, "image_size": 32, **fields})


def run_on(dropout: float = 0.0, *, test: bool = True, seed: int = 0) -> Trainable:
    """A small network on 64 random pictures of 3 classes, told apart by their brightness."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(96) % 3
    pixels = (torch.rand(96, 3, 8, 8, generator=generator) * 100 + labels[:, None, None, None] * 60).to(torch.uint8)
    images = Images(pixels, labels)
    mean, std = torch.full((3,), 0.4), torch.full((3,), 0.3)
    pictures, tests = (Pictures(images, device=CPU, image_size=8, mean=mean, std=std) for _ in range(2))
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Dropout(dropout), nn.Flatten(), nn.Linear(144, 3))
    return Trainable(
        model=model,
        device=CPU,
        pictures=pictures,
        train=torch.arange(64),
        validation=torch.arange(64, 96),
        test=tests if test else None,
        classes=("a", "b", "c"),
    )


def events_of(spec, run, folder, *, should_stop=lambda: False):
    return list(train(spec, run, folder, should_stop))


def history_of(events):
    rows = [event.metrics for event in events if isinstance(event, EpochDone)]
    return [replace(row, seconds=0.0, images_per_second=0.0) for row in rows]


def steps_of(events):
    return [step for event in events if isinstance(event, StepsDone) for step in event.steps]


@pytest.mark.parametrize(
    ("images", "batch_size", "sizes"),
    [(64, 32, [32, 32]), (66, 32, [32, 32, 2]), (65, 32, [32, 33]), (1, 32, [1]), (3, 1, [1, 1, 1]), (5, 9, [5])],
)
def test_no_image_is_left_to_a_last_batch_of_its_own(images, batch_size, sizes):
    assert batch_sizes(images, batch_size) == sizes


def test_norm_layers_over_maps_of_one_pixel_train_whatever_the_number_of_images(tmp_path):
    run = run_on()
    model = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3, 3))
    run = replace(run, model=model, train=torch.arange(61))
    assert len(steps_of(events_of(spec_of(batch_size=20), run, tmp_path))) == 9


@pytest.mark.parametrize(
    ("fields", "momentum"), [({}, 0.9), ({"momentum": 0.5, "weight_decay": 0.1, "schedule": "cosine"}, 0.5)]
)
def test_sgd_is_the_plain_loop_of_its_formula(tmp_path, fields, momentum):
    spec, run, twin = spec_of(**fields), run_on(), run_on()
    events = events_of(spec, run, tmp_path)
    velocity = [torch.zeros_like(p) for p in twin.model.parameters()]
    losses, norms = [], []
    for epoch in (1, 2, 3):
        for chosen in twin.train[epoch_order(64, spec.seed, epoch)].split(10):
            images, labels = twin.pictures.batch(chosen)
            loss = functional.cross_entropy(twin.model(images), labels)
            gradients = torch.autograd.grad(loss, list(twin.model.parameters()))
            rate = (
                spec.lr if spec.schedule == "constant" else spec.lr * (1 + math.cos(math.pi * len(losses) / 21)) / 2
            )
            norms.append(math.sqrt(sum(float(g.square().sum()) for g in gradients)))
            losses.append(float(loss.detach()))
            with torch.no_grad():
                for p, v, g in zip(twin.model.parameters(), velocity, gradients, strict=True):
                    v.mul_(momentum).add_(g + spec.weight_decay * p)
                    p.sub_(rate * v)
    assert [step.loss for step in steps_of(events)] == pytest.approx(losses, rel=1e-4)
    assert [step.gradient_norm for step in steps_of(events)] == pytest.approx(norms, rel=1e-4)
    assert [step.step for step in steps_of(events)] == list(range(1, 22))
    last = load_state(tmp_path / "last.pt")["model"]
    assert all(torch.allclose(last[k], v, atol=1e-5) for k, v in twin.model.state_dict().items())


@pytest.mark.parametrize("micro_batch", [1, 3, 4, 5, 9])
def test_gradients_of_micro_batches_add_up_to_those_of_the_whole_batch(micro_batch):
    run = run_on()
    run.model.double()
    images, labels = run.pictures.batch(torch.arange(10))
    images = images.double()
    whole = functional.cross_entropy(run.model(images), labels)
    gradients = torch.autograd.grad(whole, list(run.model.parameters()))
    optimizer = torch.optim.SGD(run.model.parameters())
    stepper = Stepper(run.model, optimizer, Precision("float32"), CPU, micro_batch)
    value, correct = stepper.backward(images, labels)
    assert float(value) == pytest.approx(float(whole.detach()), rel=1e-12)
    assert correct == int((run.model(images).argmax(1) == labels).sum())
    for parameter, gradient in zip(run.model.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-12, atol=1e-14)


def test_a_run_in_micro_batches_is_the_run_in_whole_ones(tmp_path):
    spec = spec_of(batch_size=16, augment="crop_flip")
    whole = events_of(spec, run_on(), tmp_path / "whole")
    sizes = []
    run = run_on()
    run.model.register_forward_pre_hook(lambda model, inputs: sizes.append(len(inputs[0])))
    parts = list(train(spec, run, tmp_path / "parts", lambda: False, micro_batch=4))
    assert [step.loss for step in steps_of(parts)] == pytest.approx([s.loss for s in steps_of(whole)], rel=1e-5)
    assert sizes[:16] == [4] * 16
    assert max(sizes) == 64  # of an evaluation, which shrinks with it
    assert [row.val_loss for row in history_of(parts)] == pytest.approx(
        [row.val_loss for row in history_of(whole)], rel=1e-5
    )


def test_an_epochs_numbers_are_means_over_its_images(tmp_path):
    spec, run = spec_of(epochs=1, lr=1e-9), run_on()
    (row,) = history_of(events_of(spec, run, tmp_path))
    run.model.eval()

    def plain(indices):
        images, labels = run.pictures.batch(indices)
        logits = run.model(images)
        return (
            float(functional.cross_entropy(logits, labels).detach()),
            100 * float((logits.argmax(1) == labels).float().mean()),
        )

    # At this learning rate the weights stand still, so the running mean is the mean at the end.
    assert (row.train_loss, row.train_accuracy) == pytest.approx(plain(run.train), rel=1e-5)
    assert (row.fixed_train_loss, row.fixed_train_accuracy) == pytest.approx(plain(run.train), rel=1e-5)
    assert (row.val_loss, row.val_accuracy) == pytest.approx(plain(run.validation), rel=1e-5)
    assert row.loss_gap == pytest.approx(row.val_loss - row.fixed_train_loss)
    assert row.poster_loss_gap == pytest.approx(row.val_loss - row.train_loss)
    assert row.step == 7


def test_the_fixed_sample_is_seen_without_dropout(tmp_path):
    (row,) = history_of(events_of(spec_of(epochs=1, lr=1e-9), run_on(dropout=0.9), tmp_path))
    assert row.fixed_train_loss < row.train_loss


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(tmp_path):
    first, again, other = (
        history_of(events_of(spec_of(seed=seed), run_on(dropout=0.5), tmp_path / folder))
        for folder, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("stop_at", [3, 12])
def test_a_run_that_is_taken_up_again_ends_with_the_same_numbers(tmp_path, optimizer, stop_at):
    spec = spec_of(optimizer=optimizer, lr=0.01, augment="crop_flip", schedule="cosine")
    whole = events_of(spec, run_on(dropout=0.5), tmp_path / "whole")
    calls = iter(range(10**6))
    with pytest.raises(StoppedError, match=r"stopped in epoch"):
        events_of(spec, run_on(dropout=0.5), tmp_path / "cut", should_stop=lambda: next(calls) >= stop_at)
    torch.manual_seed(123)
    rest = events_of(spec, run_on(dropout=0.5), tmp_path / "cut")
    assert history_of(rest) == history_of(whole)
    assert rest[-1] == whole[-1]
    states = [load_state(tmp_path / name / "last.pt")["model"] for name in ("whole", "cut")]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def ansatz_of(events):
    return [event.ansatz for event in events if isinstance(event, AnsatzMeasured)]


def test_the_ansatz_is_measured_when_asked_and_the_training_does_not_notice(tmp_path):
    plain = events_of(spec_of(), run_on(dropout=0.5), tmp_path / "plain")
    watched = events_of(spec_of(ansatz_epochs="0,2-3"), run_on(dropout=0.5), tmp_path / "watched")
    assert history_of(watched) == history_of(plain)
    assert ansatz_of(plain) == []
    measured = ansatz_of(watched)
    assert [ansatz.epoch for ansatz in measured] == [0, 2, 3]
    assert [layer.layer for layer in measured[0].layers] == ["0"]
    assert measured[0].layers[0].nfm_initial_nfm == pytest.approx(1)
    assert measured[2].layers[0].nfm_initial_nfm < measured[1].layers[0].nfm_initial_nfm < 1


def test_the_ansatz_of_a_run_is_that_of_its_network_and_its_own_start(tmp_path):
    spec, run = spec_of(ansatz_epochs="3"), run_on()
    start = nfm(run.model)
    (measured,) = ansatz_of(events_of(replace(spec, epochs=3), run, tmp_path))
    run.model.load_state_dict(load_state(tmp_path / "last.pt")["model"])
    images, _ = run.pictures.batch(run.train)
    (expected,) = measure_ansatz(run.model, images, initial=start, layers=["0"])
    for name in ("nfm_agop", "nfm_agop_sqrt", "nfm_initial_nfm"):
        assert getattr(measured.layers[0], name) == pytest.approx(getattr(expected, name), abs=1e-4)


def test_a_run_that_is_taken_up_again_still_knows_its_start_and_what_it_measured(tmp_path):
    spec = spec_of(ansatz_epochs="all")
    whole = ansatz_of(events_of(spec, run_on(), tmp_path / "whole"))
    calls = iter(range(10**6))
    with pytest.raises(StoppedError):
        events_of(spec, run_on(), tmp_path / "cut", should_stop=lambda: next(calls) >= 9)
    assert ansatz_of(events_of(spec, run_on(), tmp_path / "cut")) == whole
    assert [ansatz.epoch for ansatz in whole] == [0, 1, 2, 3]


def test_a_network_whose_agop_cannot_be_had_is_trained_all_the_same(tmp_path):
    run = run_on()
    with torch.no_grad():
        run.model[4].weight *= 1e30
    events = events_of(spec_of(ansatz_epochs="0,1", lr=1e-30, epochs=1), run, tmp_path)
    assert ansatz_of(events) == []
    why = "the gradients of the model's outputs are not finite at '0'"
    assert [event.message for event in events if isinstance(event, Note)] == [
        f"NFM and AGOP after epoch {epoch} were not correlated: {why}" for epoch in (0, 1)
    ]
    assert isinstance(events[-1], Finished)


def test_a_checkpoint_of_another_spec_is_not_taken_up(tmp_path):
    events_of(spec_of(epochs=1), run_on(), tmp_path)
    fresh = history_of(events_of(spec_of(epochs=2, seed=5), run_on(), tmp_path))
    assert fresh == history_of(events_of(spec_of(epochs=2, seed=5), run_on(), tmp_path / "elsewhere"))


def test_a_finished_run_says_its_history_again(tmp_path):
    first = events_of(spec_of(), run_on(), tmp_path)
    again = events_of(spec_of(), run_on(), tmp_path)
    assert history_of(again) == history_of(first)
    assert steps_of(again) == []


def test_the_best_epoch_is_kept_and_tested(tmp_path):
    spec, run = spec_of(epochs=6, lr=0.3), run_on()
    events = events_of(spec, run, tmp_path)
    history = history_of(events)
    best = max(history, key=lambda row: (row.val_accuracy, -row.epoch))
    kept = load_weights(tmp_path / "best.safetensors")
    assert (kept.fact("epoch"), kept.fact("classes")) == (best.epoch, ["a", "b", "c"])
    run.model.load_state_dict(kept.tensors)
    run.model.eval()
    images, labels = run.test.batch(torch.arange(96))
    accuracy = 100 * float((run.model(images).argmax(1) == labels).float().mean())
    assert events[-1] == Finished(test_accuracy=pytest.approx(accuracy), at_chance=False)


def test_without_a_test_split_there_is_no_test_accuracy(tmp_path):
    assert events_of(spec_of(epochs=1), run_on(test=False), tmp_path)[-1].test_accuracy is None


def test_a_loss_that_is_not_finite_ends_the_run_and_names_epoch_and_step(tmp_path):
    seen = []
    with pytest.raises(DivergedError, match=r"epoch 1, step \d+: the training loss is (nan|inf)"):
        seen.extend(train(spec_of(lr=1e20), run_on(), tmp_path, lambda: False))
    assert not math.isfinite(steps_of(seen)[-1].loss)
    assert not (tmp_path / "last.pt").exists()


def test_a_validation_loss_that_is_not_finite_ends_the_run_without_a_checkpoint(tmp_path):
    run = run_on()
    run.pictures.pixels[run.validation] = 255
    run.pictures._std[:] = 1e-38  # the training pictures are black, the others overflow
    run.pictures.pixels[run.train] = 0
    run.pictures._mean[:] = 0
    with pytest.raises(DivergedError, match=r"diverged after epoch 1: the validation loss is (nan|inf)"):
        events_of(spec_of(), run, tmp_path)
    assert not (tmp_path / "last.pt").exists()


def test_long_runs_keep_about_two_thousand_steps(tmp_path):
    spec = spec_of(batch_size=1, epochs=70)
    steps = steps_of(events_of(spec, run_on(), tmp_path))
    assert 64 * 70 / 3 - 1 <= len(steps) <= 2000
    assert len({step.step for step in steps}) == len(steps)


def test_bfloat16_keeps_float32_weights_and_finite_losses(tmp_path):
    run = run_on()
    history = history_of(events_of(spec_of(precision="bfloat16"), run, tmp_path))
    plain = history_of(events_of(spec_of(), run_on(), tmp_path / "plain"))
    assert {p.dtype for p in run.model.parameters()} == {torch.float32}
    assert history[-1].val_loss == pytest.approx(plain[-1].val_loss, abs=0.1)
    assert history != plain


def test_numbers_that_are_read_seldom_are_the_same(tmp_path, monkeypatch):
    histories, steps = [], []
    for seconds in (0.0, 1e9):
        monkeypatch.setattr(train_module, "_REPORT_SECONDS", seconds)
        events = events_of(spec_of(), run_on(dropout=0.5), tmp_path / str(seconds))
        histories.append(history_of(events))
        steps.append(steps_of(events))
    assert histories[0] == histories[1]
    assert steps[0] == steps[1]


def test_a_step_that_diverged_long_before_it_was_read_is_named_all_the_same(tmp_path, monkeypatch):
    found = []
    for seconds in (0.0, 1e9):
        monkeypatch.setattr(train_module, "_REPORT_SECONDS", seconds)
        with pytest.raises(DivergedError) as caught:
            events_of(spec_of(lr=1e20, epochs=1), run_on(), tmp_path / str(seconds))
        found.append(str(caught.value))
    assert found[0] == found[1]
    assert "step 7" not in found[0]  # the last of the epoch, after which they were read


def test_where_float16_overflows_the_weights_stay_and_the_scale_falls():
    model = nn.Linear(2, 2)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    before = model.weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    stepper = Stepper(model, optimizer, Precision("float16"), CPU, 4)
    images, labels = torch.ones(4, 2), torch.zeros(4, dtype=torch.int64)
    stepper.take(images * 1e3, labels, 0.05)  # at the first scale, 65,536, beyond float16's range
    (numbers,) = stepper.read()
    assert math.isfinite(numbers.loss)
    assert not math.isfinite(numbers.gradient_norm)
    assert torch.equal(model.weight, before)
    assert stepper.state()["scale"] == 2.0**15
    again = Stepper(model, optimizer, Precision("float16"), CPU, 4)
    again.load_state(stepper.state())
    assert again.state() == stepper.state()
    again.take(images * 1e-2, labels, 0.05)
    assert math.isfinite(again.read()[0].gradient_norm)
    assert not torch.equal(model.weight, before)


def test_learning_happens(tmp_path):
    history = history_of(events_of(spec_of(epochs=5), run_on(), tmp_path))
    assert history[-1].val_accuracy > 90


def row(train_loss, val_accuracy):
    return EpochMetrics(1, 1, train_loss, 0, train_loss, 0, train_loss, val_accuracy, 1, 0.1, 1, 1)


@pytest.mark.parametrize(
    ("losses", "accuracies", "expected"),
    [
        ([2.31, 2.30], [10, 11], True),
        ([2.31, 2.0], [10, 11], False),  # it had begun to learn
        ([2.31, 2.30], [10, 35], False),  # so had this one
    ],
)
def test_at_chance_means_that_nothing_was_learnt(losses, accuracies, expected):
    history = [row(*pair) for pair in zip(losses, accuracies, strict=True)]
    assert stayed_at_chance(history, 10) is expected
