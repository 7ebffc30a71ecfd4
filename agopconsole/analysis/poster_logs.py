"""The logs of the source study's own code, read as runs: a JSON file each in, `ImportedRun`s out.

A log holds a list with one number an epoch under `train_losses`, `val_losses`, `train_accs` and `val_accs`, the
`test_acc` and a `config`. What the config does not say is taken from the source study's recipe, and what the user
says overrides both.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from agopconsole.analysis.poster import AGOP_RECIPE, RECIPE
from agopconsole.catalogue import DATASETS
from agopconsole.errors import RequestError
from agopconsole.methods import METHODS
from agopconsole.metrics import EpochMetrics, stayed_at_chance
from agopconsole.spec import RunSpec
from agopconsole.store import ImportedRun

STUDY = "imported"
"""The study that imported runs belong to, unless the user names another."""

_LISTS = ("train_losses", "val_losses", "train_accs", "val_accs")
_OTHER_NAMES = {
    "architecture": "model",
    "model_name": "model",
    "dataset_name": "dataset",
    "init_method": "init",
    "init_type": "init",
    "initialization": "init",
    "learning_rate": "lr",
    "num_epochs": "epochs",
    "optim": "optimizer",
    "random_seed": "seed",
}
_SPELLINGS = {name.replace("_", ""): name for name in (*DATASETS, *METHODS)}
_FIELDS = {field.name for field in fields(RunSpec)} - {"name", "study", "device"}
_MOST_BYTES = 100_000_000


def read_log(path: Path, given: Mapping[str, Any]) -> ImportedRun:
    """The run that a log tells of.

    Args:
        path: the JSON file.
        given: fields of its spec that are known better than from the log.

    Raises:
        RequestError: if the file is no such log, or what it says makes no run; the message names the file.
    """
    content = _content(path)
    try:
        log = json.loads(content)
    except (ValueError, RecursionError):
        raise RequestError(f"{path} is not JSON") from None
    try:
        origin = os.fsencode(path).decode("utf-8", "replace")  # a file's name may be any bytes, the store's text not
        return _run(log, given, origin, hashlib.sha256(content).hexdigest()[:16])
    except RequestError as error:
        raise RequestError(f"{path}: {error}") from None


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise RequestError(f"{path} is too large for a log of one run")
        return path.read_bytes()
    except FileNotFoundError:
        raise RequestError(f"there is no file {path}") from None
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}") from None


def _run(log: Any, given: Mapping[str, Any], origin: str, digest: str) -> ImportedRun:
    if not isinstance(log, dict) or not all(isinstance(log.get(name), list) for name in _LISTS):
        raise RequestError(f"this is no log of a run: it needs the lists {', '.join(_LISTS)}")
    config = log.get("config", {})
    if not isinstance(config, dict):
        raise RequestError("config must be an object of settings")
    numbers = {name: [_number(name, value) for value in log[name]] for name in _LISTS}
    lengths = {len(values) for values in numbers.values()}
    if len(lengths) != 1 or lengths == {0}:
        raise RequestError(f"{', '.join(_LISTS)} must have one number for each epoch, the same count")
    spec = _spec(config, given, epochs=lengths.pop())
    test = [_number("test_acc", log["test_acc"])] if log.get("test_acc") is not None else []
    percent = _percent([*numbers["train_accs"], *numbers["val_accs"], *test])
    history = tuple(
        _epoch(epoch, percent, dict(zip(_LISTS, values, strict=True)), spec.lr)
        for epoch, values in enumerate(zip(*numbers.values(), strict=True), 1)
    )
    diverged = not all(math.isfinite(epoch.train_loss) and math.isfinite(epoch.val_loss) for epoch in history)
    classes = len(spec.class_indices or ()) or (DATASETS[spec.dataset].classes if spec.dataset in DATASETS else 0)
    return ImportedRun(
        spec=spec,
        history=history,
        test_accuracy=percent * test[0] if test and math.isfinite(test[0]) else None,
        at_chance=not diverged and classes > 1 and stayed_at_chance(history, classes),
        diverged=diverged,
        origin=origin,
        digest=digest,
        config=config,
    )


def _number(name: str, value: Any) -> float:
    """A number; null is one that was not finite, as some writers of JSON put it."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RequestError(f"{name} holds {json.dumps(value)[:40]}, which is no number")
    try:
        return float(value)
    except OverflowError:  # a whole number of more than 308 digits; as 1e400 it would have been read as infinite
        return math.inf if value > 0 else -math.inf


def _percent(accuracies: list[float]) -> float:
    """What turns these accuracies into percentages: shares are none above 1."""
    finite = [value for value in accuracies if math.isfinite(value)]
    if any(not 0 <= value <= 100 for value in finite):
        raise RequestError("an accuracy lies outside 0 to 100 %")
    return 100.0 if all(value <= 1 for value in finite) else 1.0


def _epoch(epoch: int, percent: float, logged: Mapping[str, float], lr: float) -> EpochMetrics:
    unknown = math.nan
    return EpochMetrics(
        epoch=epoch,
        step=0,
        train_loss=logged["train_losses"],
        train_accuracy=percent * logged["train_accs"],
        fixed_train_loss=unknown,
        fixed_train_accuracy=unknown,
        val_loss=logged["val_losses"],
        val_accuracy=percent * logged["val_accs"],
        gradient_norm=unknown,
        learning_rate=lr,
        seconds=unknown,
        images_per_second=unknown,
    )


def _spec(config: Mapping[str, Any], given: Mapping[str, Any], *, epochs: int) -> RunSpec:
    said = {_OTHER_NAMES.get(str(name).lower(), str(name).lower()): value for name, value in config.items()}
    known = {name: _spelled(value) for name, value in said.items() if name in _FIELDS and value is not None}
    asked = {**RECIPE, "study": STUDY, **known, **given, "epochs": epochs}
    for name in ("init", "dataset"):
        if name not in asked:
            raise RequestError(f"its config does not say the {name}; give it as --{name}")
    init = str(asked["init"])
    if init in ("kaiming_nfm", "kaiming_agop"):
        asked.setdefault("scale", "poster")
    if init.endswith("agop"):
        asked = {**AGOP_RECIPE, **asked}
    return RunSpec.parse(asked)


def _spelled(value: Any) -> Any:
    """A name as the console spells it: `CIFAR-10`, `Tiny ImageNet` and `KaimingNFM` are known as well."""
    if not isinstance(value, str):
        return value
    plain = value.lower()
    return _SPELLINGS.get("".join(filter(str.isalnum, plain)), plain)
