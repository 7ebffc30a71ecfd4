"""A store of a made-up study, written through the Store's own methods: six methods, three seeds, and every state.

The curves are those of the first experiment in the design, in shape: `kaiming_agop` diverges, `nfm` leaves chance
late or never, the twins lead. Nothing is random, so the store is the same every time but for its times.
"""

import math
from pathlib import Path

from agopconsole.metrics import EpochMetrics, LayerStart, StepMetrics
from agopconsole.spec import RunSpec
from agopconsole.store import Owner, Store

OWNER = Owner("here", "boot", 1, 0.0)
EPOCHS = 20
STUDY = "digits-transfer"
CEILINGS = {
    "kaiming_uniform": 89.0,
    "kaiming_normal": 91.5,
    "lecun_normal": 84.0,
    "kaiming_nfm": 93.5,
    "nfm": 72.0,
    "kaiming_agop": 20.0,
}
LAYERS = (
    "features.0",
    "features.3",
    "features.6",
    "features.8",
    "features.11",
    "features.13",
    "features.16",
    "features.18",
)


def build_demo_store(path: Path) -> Path:
    """Writes the demo store to `path`; 13 runs are done, one diverged, one at chance, one runs, two are queued."""
    specs = [
        RunSpec.parse({"init": init, "seed": seed, "epochs": EPOCHS, "source": "imagenet", "study": STUDY})
        for seed in range(3)
        for init in CEILINGS
    ]
    with Store(path, create=True) as store:
        store.add_runs(specs)
        for _ in range(len(specs) - 2):
            play(store, store.claim(OWNER))
    return path


def play(store, run):
    """Trains a claimed run to the end that its method and seed have."""
    store.log(run.id, "info", f"{run.model} on {run.dataset}, {run.epochs} epochs, started as {run.method}")
    store.record_setup(run.id, device="cuda:0", data_origin="made up", environment={"torch": "2.15", "gpu": "H100"})
    store.record_start(run.id, layers_start(run.method))
    diverges = run.method == "kaiming_agop"
    at_chance = run.method == "nfm" and run.seed == 1
    last = 1 + run.seed if diverges else 12 if still_runs(run) else run.epochs
    for epoch in range(1, last + 1):
        store.record_steps(run.id, [step_metrics(run, step) for step in range(18 * epoch - 15, 18 * epoch + 1, 3)])
        store.record_epoch(run.id, epoch_metrics(run, epoch, at_chance=at_chance))
    if diverges:
        error = f"diverged in epoch {last + 1}, step 7: the training loss is nan"
        store.log(run.id, "error", error)
        store.finish(run.id, "failed", error, diverged=True)
    elif still_runs(run):
        store.heartbeat([run.id])
    else:
        store.record_result(run.id, test_accuracy=run_accuracy(run, last) - 0.8, at_chance=at_chance)
        store.log(run.id, "info", "done")
        store.finish(run.id, "done")


def still_runs(run):
    return run.method == "kaiming_nfm" and run.seed == 2


def run_accuracy(run, epoch, *, at_chance=False):
    """Validation accuracy in per cent: an exponential approach to the method's ceiling, with a wobble of its own."""
    wobble = 1.4 * math.sin(2.1 * epoch + 5 * run.seed + len(run.method)) / (1 + epoch / 8)
    if at_chance:
        return 10.0 + 0.2 * wobble
    ceiling = CEILINGS.get(run.method, 80.0) + 1.3 * (run.seed - 1)
    return ceiling - (ceiling - 10) * math.exp(-epoch / (2.5 + len(run.method) / 5)) + wobble


def epoch_metrics(run, epoch, *, at_chance=False):
    accuracy = run_accuracy(run, epoch, at_chance=at_chance)
    fitted = min(accuracy * (1 + 0.004 * epoch), 99.9)
    train_loss = 2.303 if at_chance else -math.log(fitted / 100)
    gap = 0.001 if at_chance else 0.02 * (epoch - 5) * (0.5 + run.seed / 6) + 0.0004 * epoch * len(run.method) - 0.05
    return EpochMetrics(
        epoch=epoch,
        step=18 * epoch,
        train_loss=train_loss + 0.05,
        train_accuracy=fitted - 1,
        fixed_train_loss=train_loss,
        fixed_train_accuracy=fitted,
        val_loss=train_loss + gap,
        val_accuracy=accuracy,
        gradient_norm=1.5 / epoch,
        learning_rate=1e-3,
        seconds=2.5,
        images_per_second=2140.0 + 10 * run.seed,
    )


def step_metrics(run, step):
    """A loss that falls with the accuracy's rise, and trembles."""
    loss = 2.3 * math.exp(-step / 18 / (4 + len(run.method) / 4)) + 0.15 * math.sin(7 * step + run.seed) ** 2
    return StepMetrics(step, (step - 1) // 18 + 1, loss, 1.5 / (1 + step / 18), 1e-3)


def layers_start(method):
    """A start in which features blow up the outputs layer by layer, and isotropic draws do not."""
    growth = {"kaiming_nfm": 2.6, "kaiming_agop": 5.5, "nfm": 1.3, "lecun_normal": 0.5}.get(method, 1.0)
    return [
        LayerStart(
            layer=layer,
            c_out=64 << min(i // 2, 3),
            dim=27 if i == 0 else 576 << min((i - 1) // 2, 3),
            weight_variance=0.5 if method in ("nfm", "lecun_normal") else 1.0,
            output_mean_square=2.0 * growth**i,
            common_mode=1.0 + 1.5 * i * (growth > 1),
            between_share=0.6 / growth ** (i / 2),
            participation_ratio=max(1.0, 31 / max(growth, 1) ** i),
            gradient_ratio=0.02 * growth ** (i / 3),
        )
        for i, layer in enumerate(LAYERS)
    ]
