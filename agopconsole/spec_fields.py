"""One field of a spec: its help, choices and bounds, and the check of a value by them."""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Iterable, Mapping
from dataclasses import Field, field
from typing import Any

from agopconsole.errors import RequestError, unknown_choice

HIGHEST = 1_000_000
"""No class or epoch has a higher number, so that a slip of the finger is an error and no memory is filled."""
MOST = 2**63 - 1
"""The largest whole number that the store and torch can take."""
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, line breaks, and what stands for bytes that are not UTF-8: no file or table can take them."""


def option(
    default: Any,
    help_text: str,
    *,
    choices: Iterable[str] = (),
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    below: float | None = None,
) -> Any:
    """A dataclass field that carries what a form, a command line and a check must know of it.

    Args:
        default: what it is unless it is given.
        help_text: half a sentence.
        choices: the texts it can be; none for any.
        minimum: the least number that it can be.
        above: what it must be more than.
        maximum: the largest number that it can be.
        below: what it must be less than.
    """
    metadata = {
        "help": help_text,
        "choices": tuple(choices),
        "minimum": minimum,
        "above": above,
        "maximum": maximum,
        "below": below,
    }
    return field(default=default, metadata=metadata)


def checked(spec_field: Field[Any], value: Any, kind: type, optional: bool) -> Any:
    """The value as the field's type.

    Args:
        spec_field: made by `option`.
        value: from TOML, JSON or the command line.
        kind: the field's plain type: text, whole number or number.
        optional: whether it may be None.

    Raises:
        RequestError: if it is of another type, out of range, or none of the choices.
    """
    name: str = spec_field.name
    meta: Mapping[str, Any] = spec_field.metadata
    wanted: dict[type, str] = {str: "text", int: "a whole number", float: "a number"}
    if value is None and optional:
        return None
    if isinstance(value, int) and abs(value) > MOST:
        raise RequestError(f"{name} must be no larger than {MOST}")
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if kind is str and name == "agop_outputs" and isinstance(value, int):
        value = str(value)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise RequestError(f"{name} must be {wanted[kind]}, not {json.dumps(value, default=str)}")
    if isinstance(value, str) and _UNPRINTABLE.search(value):
        raise RequestError(f"{name} must be one line of printable text, not {json.dumps(value)}")
    if isinstance(value, str) and meta["choices"] and value not in meta["choices"]:
        raise unknown_choice(name, value, meta["choices"])
    if isinstance(value, (int, float)):
        _check_range(name, value, meta)
    return value


def _check_range(name: str, value: float, meta: Mapping[str, Any]) -> None:
    if not math.isfinite(value):
        raise RequestError(f"{name} must be a finite number, not {value}")
    bounds = (
        (meta["minimum"], operator.ge, "at least"),
        (meta["above"], operator.gt, "above"),
        (meta["maximum"], operator.le, "at most"),
        (meta["below"], operator.lt, "below"),
    )
    if any(bound is not None and not holds(value, bound) for bound, holds, _ in bounds):
        wanted = " and ".join(f"{word} {bound:g}" for bound, _, word in bounds if bound is not None)
        raise RequestError(f"{name} must be {wanted}, not {value:g}")


def parse_numbers(what: str, text: str) -> tuple[int, ...]:
    """The numbers of "0-4" or "0,2,5-7", in rising order.

    Raises:
        RequestError: if the text, the value of the field `what`, is not of that form.
    """
    numbers: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last <= HIGHEST:
            raise RequestError(f"{what} '{text}' is not of the form 0-4 or 0,2,5-7")
        numbers.update(range(first, last + 1))
    return tuple(sorted(numbers))
