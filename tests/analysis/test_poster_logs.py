"""The source study's own logs as runs: what is taken from where, and what is refused."""

import json
import math

import pytest

from agopconsole.analysis.poster_logs import read_log
from agopconsole.errors import RequestError
from agopconsole.spec import RunSpec

CONFIG = {"model": "VGG11", "dataset": "CIFAR-10", "init_method": "kaiming_nfm", "learning_rate": 0.01, "seed": 2}
LOG = {
    "train_losses": [2.2, 1.9, 1.5],
    "val_losses": [2.1, 1.8, 1.6],
    "train_accs": [20, 35, 48.5],
    "val_accs": [22, 46.5, 45.25],
    "test_acc": 44.9,
    "config": CONFIG,
}


@pytest.fixture
def read(tmp_path):
    """The run of a log, with some fields of its spec given."""

    def read(log, **given):
        path = tmp_path / "log.json"
        path.write_text(log if isinstance(log, str) else json.dumps(log), encoding="utf-8")
        return read_log(path, given)

    return read


def test_a_log_is_a_run_by_the_poster_s_recipe(read):
    run = read(LOG)
    asked = {"dataset": "cifar10", "init": "kaiming_nfm", "scale": "poster", "lr": 0.01, "seed": 2, "epochs": 3}
    assert run.spec == RunSpec.parse({**asked, "image_size": 224, "study": "imported"})
    assert [(e.epoch, e.train_loss, e.val_loss, e.val_accuracy) for e in run.history] == [
        (1, 2.2, 2.1, 22.0),
        (2, 1.9, 1.8, 46.5),
        (3, 1.5, 1.6, 45.25),
    ]
    assert run.history[1].poster_loss_gap == pytest.approx(-0.1)
    assert math.isnan(run.history[1].loss_gap)
    assert (run.test_accuracy, run.at_chance, run.diverged, run.config) == (44.9, False, False, CONFIG)


def test_what_the_user_says_overrides_the_log(read):
    run = read({**LOG, "config": {}}, init="agop", dataset="svhn", study="mine", scale="unit")
    assert (run.spec.label, run.spec.dataset, run.spec.study, run.spec.agop_images) == ("agop", "svhn", "mine", 11)
    assert read(LOG, seed=7).spec.seed == 7


def test_shares_are_percentages_too(read):
    run = read({**LOG, "train_accs": [0.2, 0.35, 0.485], "val_accs": [0.22, 0.465, 0.4525], "test_acc": 0.449})
    assert [epoch.val_accuracy for epoch in run.history] == pytest.approx([22.0, 46.5, 45.25])
    assert run.test_accuracy == pytest.approx(44.9)


def test_a_loss_that_is_not_finite_is_a_run_that_diverged(read):
    assert read(json.dumps({**LOG, "train_losses": [2.2, float("nan"), float("nan")]})).diverged
    assert read({**LOG, "val_losses": [2.1, None, 1.6]}).diverged


@pytest.mark.parametrize("sign", [1, -1])
def test_a_whole_number_that_is_too_large_is_not_finite(read, sign):
    run = read(json.dumps({**LOG, "train_losses": [2.2, sign * 10**400, 2.0]}))
    assert (run.diverged, run.history[1].train_loss) == (True, sign * math.inf)


def test_a_run_that_never_left_chance_is_one_at_chance(read):
    run = read({**LOG, "train_losses": [2.303] * 3, "val_accs": [10.0] * 3, "train_accs": [10.0] * 3})
    assert run.at_chance


RUBBISH = {
    "not json": "is not JSON",
    "[" * 100_000: "is not JSON",
    "[1, 2]": "it needs the lists train_losses, val_losses, train_accs, val_accs",
    json.dumps({**LOG, "val_accs": "high"}): "it needs the lists",
    json.dumps({**LOG, "val_accs": [1.0]}): "must have one number for each epoch",
    json.dumps({name: [] for name in LOG}): "config must be an object",
    json.dumps({**LOG, "val_accs": [22, "much", 45]}): 'val_accs holds "much", which is no number',
    json.dumps({**LOG, "val_accs": [22, 46, 450]}): "an accuracy lies outside 0 to 100 %",
    json.dumps({**LOG, "config": {"dataset": "cifar10"}}): "does not say the init; give it as --init",
    json.dumps({**LOG, "config": {**CONFIG, "dataset": "cifar"}}): "did you mean 'cifar10'?",
    json.dumps({**LOG, "config": {**CONFIG, "seed": -1}}): "seed must be at least 0",
}


@pytest.mark.parametrize("text", RUBBISH, ids=lambda text: text[:30])
def test_rubbish_is_refused_with_the_name_of_its_file(read, text):
    with pytest.raises(RequestError) as refused:
        read(text)
    assert RUBBISH[text] in str(refused.value)
    assert "log.json" in str(refused.value)
    assert "\n" not in str(refused.value)
