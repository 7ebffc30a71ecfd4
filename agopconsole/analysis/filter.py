"""The language that picks runs: `init:kaiming_* dataset:cifar10 status:running seed:<3 lr:>0.001 words`.

A text in, a test of a run out. Terms stand side by side and must all hold; `-` before one turns it round, commas part
values of which one must hold, quotes keep spaces. A text field takes `*` and `?`, a number `<`, `<=`, `>`, `>=` or a
range such as `0-2`; a term without a field is looked for in whatever names the run.
"""

from __future__ import annotations

import fnmatch
import json
import operator
import re
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from typing import Any

from agopconsole.catalogue import STATUSES
from agopconsole.errors import RequestError, unknown_choice
from agopconsole.spec import RunSpec, field_types
from agopconsole.store import RunRecord

Test = Callable[[RunRecord], bool]

_TERM = re.compile(r'(?P<no>-?)(?:(?P<field>[A-Za-z_]\w*):)?(?P<value>"[^"]*"|[^\s"]*)(?=\s|$)')
_NUMBER = re.compile(r"(?P<sign><=|>=|<|>|=)?(?P<value>.*)")
_RANGE = re.compile(r"(\d+)-(\d+)")
_SIGNS: dict[str | None, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    None: operator.eq,
}
_SHORT = {"best": "best_val_accuracy", "final": "final_val_accuracy", "test": "test_accuracy", "gap": "loss_gap"}
_FLAGS = ("diverged", "at_chance")
"""States that a run may have beside its status; the filter takes both alike."""

_HIDDEN = ("spec", "environment", "fingerprint", "boot_id", "pid_started", "cancel_requested", "deaths", *_FLAGS)


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that was understood.

    Attributes:
        text: as it was typed.
        tests: what must hold of a run.
    """

    text: str = ""
    tests: tuple[Test, ...] = ()

    def __call__(self, run: RunRecord) -> bool:
        """Whether the run is to be seen."""
        return all(test(run) for test in self.tests)


def parse_filter(text: str) -> Filter:
    """The filter that `text` asks for; an empty one lets every run through.

    Raises:
        RequestError: at the first term that is no term, or has an unknown field or a value of the wrong kind.
    """
    return Filter(text.strip(), tuple(_tests(text)))


@cache
def filter_fields() -> dict[str, bool]:
    """The fields that a filter may name, and whether each holds numbers."""
    hints = typing.get_type_hints(RunRecord)
    of_record = {f.name: _is_number(hints[f.name]) for f in fields(RunRecord) if f.name not in _HIDDEN}
    of_spec = {name: kind in (int, float) for name, (kind, _) in field_types().items()}
    short = dict.fromkeys(_SHORT, True)
    return {**of_spec, **of_record, **short}


def _is_number(hint: Any) -> bool:
    return bool({int, float}.intersection(typing.get_args(hint) or (hint,)))


def _tests(text: str) -> Iterator[Test]:
    place = 0
    while rest := text[place:].lstrip():
        place = len(text) - len(rest)
        match = _TERM.match(text, place)
        if match is None or not match[0]:
            raise RequestError(f"filter: {rest.split()[0]} is not understood; a closing quote may be missing")
        place = match.end()
        value = match["value"].strip('"')
        if value:  # a field whose value is still to be typed asks for nothing yet
            test = _test(match["field"], value)
            yield _not(test) if match["no"] else test


def _not(test: Test) -> Test:
    return lambda run: not test(run)


def _test(field: str | None, value: str) -> Test:
    if field is None:
        wanted = value.casefold()
        return lambda run: wanted in _names(run)
    if field not in filter_fields():
        raise unknown_choice("field of a filter", field, sorted(filter_fields()))
    one_of = [part for part in value.split(",") if part]
    make = _status if field == "status" else _number if filter_fields()[field] else _text
    tests = [make(field, part) for part in one_of]
    return lambda run: any(test(run) for test in tests)


def _status(_: str, value: str) -> Test:
    known = (*STATUSES, *_FLAGS)
    wanted = {name for name in known if fnmatch.fnmatchcase(name, value)}
    if not wanted:
        raise unknown_choice("status", value, known)
    flags = wanted.intersection(_FLAGS)
    return lambda run: run.status in wanted or any(getattr(run, flag) for flag in flags)


def _text(field: str, value: str) -> Test:
    pattern = re.compile(fnmatch.translate(value.casefold()))
    get = _getter(field)
    if field == "init":  # what a reader sees under that name is the label
        return lambda run: bool(pattern.match(run.init) or pattern.match(run.method.casefold()))
    return lambda run: pattern.match(str(get(run) or "").casefold()) is not None


def _number(field: str, value: str) -> Test:
    get = _getter(_SHORT.get(field, field))
    if between := _RANGE.fullmatch(value):
        low, high = map(int, between.groups())
        return lambda run: (found := get(run)) is not None and low <= found <= high
    match = _NUMBER.fullmatch(value)
    assert match is not None
    try:
        bound = float(match["value"])
    except ValueError:
        raise RequestError(f"{field}:{value} needs a number, such as {field}:3, {field}:<3 or {field}:0-2") from None
    holds = _SIGNS[match["sign"]]
    return lambda run: (found := get(run)) is not None and holds(found, bound)


def _getter(field: str) -> Callable[[RunRecord], Any]:
    if field in {f.name for f in fields(RunRecord)}:
        return operator.attrgetter(field)
    default = next(f.default for f in fields(RunSpec) if f.name == field)
    return lambda run: _asked(run.spec).get(field, default)


@lru_cache(maxsize=20_000)
def _asked(spec: str) -> dict[str, Any]:
    asked: dict[str, Any] = json.loads(spec)
    return asked


def _names(run: RunRecord) -> str:
    parts = (f"#{run.id}", run.name, run.study, run.method, run.dataset, run.model, run.status, run.source, run.error)
    return " ".join(part for part in parts if part).casefold()
