"""Tensors on disk: written whole or not at all, read without ever running pickled code."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from agopconsole.backend.whole_files import written_beside
from agopconsole.errors import RequestError

_WRAPPERS = ("module.", "_orig_mod.")
_NESTS = ("state_dict", "model", "model_state_dict", "net", "model_state")


def save_weights(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Writes tensors as safetensors with metadata (JSON values), whole or not at all."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with written_beside(path) as beside:
        save_file(plain, beside, {key: json.dumps(value) for key, value in metadata.items()})


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """Writes what a run needs to go on, whole or not at all; tensors and plain values only."""
    with written_beside(path) as beside:
        torch.save(dict(state), beside)


def load_state(path: Path) -> dict[str, Any] | None:
    """What `save_state` wrote, or None if there is nothing that can be read: the run then starts over."""
    try:
        state = _unpickle(path)
    except (OSError, ValueError):
        return None
    return state if isinstance(state, dict) else None


def _unpickle(path: Path) -> Any:
    """What torch.save wrote, of tensors and plain values alone.

    Raises:
        OSError: if the file cannot be opened.
        ValueError: if it is damaged or holds anything else; the message is one line.
    """
    with path.open("rb"):
        pass
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can fail in any way at all
        refused = re.search(r"GLOBAL (\S+)", str(error))
        words = refused[1] if refused else str(error).partition(". ")[0]
        # A KeyError's text is a bare key, and torch's refusals go on for a page.
        known = isinstance(error, (RuntimeError, pickle.UnpicklingError)) and words
        raise ValueError(words.splitlines()[0].rstrip(".") if known else type(error).__name__) from error


@dataclass(frozen=True, slots=True)
class Weights:
    """Tensors of a checkpoint by state-dict name, in float32 on the CPU, and the metadata of the file."""

    tensors: dict[str, Tensor]
    metadata: dict[str, str]

    def fact(self, name: str) -> Any:
        """A JSON value of the metadata, or None where the file does not say."""
        try:
            return json.loads(self.metadata[name])
        except (KeyError, ValueError):
            return None


def load_weights(path: Path) -> Weights:
    """The tensors of a `.safetensors`, `.pt` or `.pth` file; pickled code is never run.

    Prefixes of torch.compile (`_orig_mod.`) and of data parallelism (`module.`) are taken off, and a state dict is
    found one level down, as trainers nest it.

    Raises:
        RequestError: if the file is missing, damaged, refused by `weights_only`, or holds no tensors.
    """
    if not path.is_file():
        raise RequestError(f"source '{path}': there is no such file")
    if path.suffix == ".safetensors":
        tensors, metadata = _read_safetensors(path)
    else:
        tensors, metadata = _read_pickle(path), {}
    if not tensors:
        raise RequestError(f"source '{path}' holds no tensors")
    return Weights({_bare(name): _as_float(tensor) for name, tensor in tensors.items()}, metadata)


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise RequestError(f"source '{path}' is not a whole safetensors file: {error}") from None


def _read_pickle(path: Path) -> dict[str, Tensor]:
    try:
        loaded = _unpickle(path)
    except OSError as error:
        raise RequestError(f"source '{path}' cannot be read: {error.strerror}") from None
    except ValueError as error:
        if not isinstance(error.__cause__, pickle.UnpicklingError):
            raise RequestError(f"source '{path}' is no whole checkpoint: {error}") from None
        numpy = ", a number of numpy, which float() or int() turns into a plain one" if "numpy" in str(error) else ""
        raise RequestError(
            f"source '{path}' holds more than tensors ({error}{numpy}); load it where you trust it and save its "
            "model.state_dict() alone"
        ) from None
    nested = next(
        (loaded[key] for key in _NESTS if isinstance(loaded, dict) and isinstance(loaded.get(key), dict)), None
    )
    found = nested if nested is not None else loaded
    return (
        {name: value for name, value in found.items() if isinstance(value, Tensor)} if isinstance(found, dict) else {}
    )


def _bare(name: str) -> str:
    while name.startswith(_WRAPPERS):
        name = name.removeprefix("module.").removeprefix("_orig_mod.")
    return name


def _as_float(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor
