"""The facts of one run as text: what went wrong, how it differs from another, its results, its spec, where it ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from agopconsole.analysis.colours import GREY, WARNING, method_colour
from agopconsole.metrics import LayerStart
from agopconsole.store import RunRecord
from agopconsole.tui import words
from agopconsole.tui.causes import causes
from agopconsole.tui.theme import CAUTION

_RESULTS = {
    "best val %": "best_val_accuracy",
    "final val %": "final_val_accuracy",
    "test %": "test_accuracy",
    "loss gap": "loss_gap",
    "poster's gap": "poster_loss_gap",
}


def facts_text(
    run: RunRecord, runs: Mapping[int, RunRecord], start: Sequence[LayerStart], other: RunRecord | None
) -> Text:
    """All that is known of `run` but its numbers epoch by epoch.

    Args:
        run: the run.
        runs: all of them by id.
        start: the start of its network; empty if it is not known.
        other: a run to compare it with.
    """
    text = Text()
    for line in causes(run, runs, start):
        text.append(f"{line}\n", CAUTION if run.status == "done" and not run.diverged else WARNING)
    if text:
        text.append("\n")
    if other is not None:
        text.append_text(_difference(run, other)).append("\n")
    asked, usual = _asked(run)
    for title, facts in (
        ("result", _results(run)),
        ("spec", asked),
        ("where and when", _provenance(run)),
        ("at its default", usual),
    ):
        if facts:
            text.append(f"{title}\n", "bold").append_text(_table(facts)).append("\n")
    text.rstrip()
    return text


def differences(run: RunRecord, other: RunRecord) -> dict[str, tuple[Any, Any]]:
    """What was asked for or used differently: the values of both by name; never who trained it and when."""
    asked, other_asked = run.asked, other.asked
    found = {name: (asked.get(name), other_asked.get(name)) for name in asked | other_asked}
    here, there = run.provenance(), other.provenance()
    found |= {name: (here.get(name), there.get(name)) for name in here | there if name != "code_when_queued"}
    return {name: pair for name, pair in found.items() if pair[0] != pair[1]}


def _difference(run: RunRecord, other: RunRecord) -> Text:
    """Results side by side, and then every choice in which the two differ."""
    text = Text.assemble(("against ", "bold"), ("■ ", method_colour(other.method)), (other.title, "bold"), "\n")
    for name, attribute in _RESULTS.items():
        here, there = getattr(run, attribute), getattr(other, attribute)
        if here is not None and there is not None:
            text.append(f"{name}  ", GREY).append(f"{_value(here)}, there {_value(there)} (")
            text.append(words.signed(here - there), "bold").append(")\n")
    found = differences(run, other)
    for name, (here, there) in found.items():
        text.append(f"{name}  ", GREY).append(f"{_value(here)}, there {_value(there)}\n")
    if not found:
        text.append("asked for and trained alike\n", GREY)
    return text


def _results(run: RunRecord) -> dict[str, Any]:
    found = {name: getattr(run, attribute) for name, attribute in _RESULTS.items()}
    return {name: value for name, value in found.items() if value is not None}


def _asked(run: RunRecord) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of the spec that were chosen, and those that are at their defaults."""
    chosen = run.chosen
    return chosen, {name: value for name, value in run.asked.items() if name not in chosen}


def _provenance(run: RunRecord) -> dict[str, Any]:
    times = {
        "queued": words.moment(run.created_at),
        "started": words.moment(run.started_at),
        "ended": words.moment(run.ended_at),
        "attempts": run.attempts,
        "priority": run.priority or None,
        "images at once": run.micro_batch,
    }
    return {name: value for name, value in {**times, **run.provenance()}.items() if value is not None}


def _table(facts: Mapping[str, Any]) -> Text:
    width = max(len(name) for name in facts)
    text = Text()
    for name, value in facts.items():
        text.append(f"{name:<{width}}  ", GREY).append(f"{_value(value)}\n")
    return text


def _value(value: Any) -> str:
    if value in (None, ""):
        return words.NO_VALUE
    return f"{value:.4g}" if isinstance(value, float) else str(value)
