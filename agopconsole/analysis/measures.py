"""The metrics of a report: what each one measures, which way is better, and its value for each run."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agopconsole.errors import RequestError, unknown_choice
from agopconsole.store import RunRecord, Store

Better = Literal["higher", "lower"]

TEST_ACCURACY = "test_accuracy"
BEST_VAL_ACCURACY = "best_val_accuracy"
ACCURACY_AREA = "accuracy_area"
EPOCHS_TO = "epochs_to"


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric.

    Attributes:
        name: as `--metric` takes it.
        title: what it is, with its unit.
        unit: of a difference, in words.
        digits: after the point, for a reader.
        better: which way is better; None where neither is.
        accuracy: the one that `epochs_to` waits for, in percent.
    """

    name: str
    title: str
    unit: str = "points"
    digits: int = 2
    better: Better | None = "higher"
    accuracy: float = math.inf


_OF_RUN = (
    Measure(TEST_ACCURACY, "test accuracy of the epoch that validation chose, %"),
    Measure(BEST_VAL_ACCURACY, "best validation accuracy, %"),
    Measure("final_val_accuracy", "validation accuracy after the last epoch, %"),
    Measure("loss_gap", "validation less training loss, both in eval mode, nats", "nats", 3, None),
    Measure("poster_loss_gap", "validation loss less running training loss with dropout, nats", "nats", 3, None),
)
_OF_EPOCHS = (
    Measure(ACCURACY_AREA, "area under the validation accuracy's curve: its mean over the epochs, %"),
    Measure("seconds", "time of all epochs, training and evaluation, s", "seconds", 1, "lower"),
)
MEASURES = {measure.name: measure for measure in (*_OF_RUN, *_OF_EPOCHS)}
NAMES = (*MEASURES, f"{EPOCHS_TO}:ACCURACY")


def parse_measure(text: str) -> Measure:
    """The metric of that name; `epochs_to:70` counts the epochs until validation accuracy first reaches 70 %.

    Raises:
        RequestError: if there is none.
    """
    if text in MEASURES:
        return MEASURES[text]
    kind, _, accuracy = text.partition(":")
    if kind != EPOCHS_TO:
        raise unknown_choice("metric", text, NAMES)
    if not re.fullmatch(r"\d{1,3}(\.\d{1,6})?", accuracy) or not 0 < float(accuracy) <= 100:
        raise RequestError(f"metric '{text}' names no accuracy in percent; {EPOCHS_TO}:70 counts the epochs to 70 %")
    title = f"epochs until validation accuracy first reaches {float(accuracy):g} %"
    return Measure(text, title, "epochs", 1, "lower", float(accuracy))


def usual_measure(runs: Sequence[RunRecord]) -> Measure:
    """Test accuracy, the honest number, where every run that trained to the end has one; else validation's best."""
    done = _trained(runs)
    tested = bool(done) and all(run.test_accuracy is not None for run in done)
    return MEASURES[TEST_ACCURACY if tested else BEST_VAL_ACCURACY]


def measured(store: Store, runs: Sequence[RunRecord], measure: Measure) -> dict[int, float]:
    """The metric by run id, of the runs that trained to the end and have one."""
    if measure in _OF_RUN:
        return column(runs, measure.name)
    ids = [run.id for run in _trained(runs)]
    if measure.name.startswith(EPOCHS_TO):
        return _present(store.first_epochs(ids, measure.accuracy))
    return store.accuracy_areas(ids) if measure.name == ACCURACY_AREA else store.epoch_seconds(ids)


def column(runs: Sequence[RunRecord], name: str) -> dict[int, float]:
    """A metric that the runs' own records hold, by run id, of the runs that trained to the end and have one."""
    return _present({run.id: getattr(run, name) for run in _trained(runs)})


def _trained(runs: Sequence[RunRecord]) -> list[RunRecord]:
    return [run for run in runs if run.status == "done" and not run.diverged]


def _present(values: Mapping[int, float | None]) -> dict[int, float]:
    return {run_id: float(value) for run_id, value in values.items() if value is not None}
