"""The answer under a report's table: what it shows and what it does not, in sentences.

A report in; its sentences out, none of which says more than a 95 % interval does: first who is better or worse than
the baseline, then what each feature method owes to its features, then the runs without a number, then what so few
seeds can show at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from agopconsole.analysis.comparison_words import ComparisonWords, after_correction
from agopconsole.analysis.contrasts import LEVEL, Contrast
from agopconsole.analysis.report import Report, ReportRow
from agopconsole.analysis.statistics import smallest_p_value
from agopconsole.analysis.worth import say_worth
from agopconsole.wording import counted

_MOST_BLOCKS = 3
"""So many tables in one are answered each by itself; of more, the verdicts are counted."""

_MOST_NAMED = 8
"""Of so many rows each is named with its count."""


def answer(report: Report) -> tuple[str, ...]:
    """The sentences; none for a report without rows."""
    if not report.rows:
        return ()
    if not any(row.mean.n for row in report.rows):
        return ("nothing is shown: no run has a value of this metric", *_runs(report))
    tables = blocks(report.rows)
    if len(tables) > _MOST_BLOCKS:
        told = _counted(report)
    else:
        told = [f"{_prefix(rows, report)}{text}" for rows in tables for text in _of_block(rows, report)]
    return (*told, *_runs(report), *_resolution(report))


def blocks(rows: Sequence[ReportRow]) -> list[list[ReportRow]]:
    """The rows of each recipe, which alone are compared with one another."""
    by_recipe: dict[tuple[object, ...], list[ReportRow]] = {}
    for row in rows:
        by_recipe.setdefault(row.group.recipe, []).append(row)
    return list(by_recipe.values())


def place_of(rows: Sequence[ReportRow], report: Report) -> str:
    """What sets one table apart from the others of the report; nothing where it is the only one."""
    if len(rows) == len(report.rows):
        return ""
    common = [name for name in report.varied if len({str(row.group.settings[name]) for row in rows}) == 1]
    settings = rows[0].group.settings
    return " ".join([settings["dataset"], *(f"{name}={settings[name]}" for name in common)])


def _prefix(rows: Sequence[ReportRow], report: Report) -> str:
    place = place_of(rows, report)
    return f"{place}: " if place else ""


def _of_block(rows: Sequence[ReportRow], report: Report) -> list[str]:
    words = ComparisonWords(report.measure)
    names = named_rows(rows, report.varied)
    return [_headline(names, str(report.baseline), words), *say_worth(names, words)]


def named_rows(rows: Sequence[ReportRow], varied: Sequence[str]) -> list[tuple[str, ReportRow]]:
    """Each row with a name of its own: the method and, where several rows have it, what sets them apart."""
    named = []
    for row in rows:
        others = [other.group.settings for other in rows if other.group.method == row.group.method]
        apart = [name for name in varied if len({str(settings[name]) for settings in others}) > 1]
        named.append((" ".join([row.group.method, *(f"{n}={row.group.settings[n]}" for n in apart)]), row))
    return named


def _headline(named: Sequence[tuple[str, ReportRow]], baseline: str, words: ComparisonWords) -> str:
    """Who is shown to be better than the baseline, who worse, and of whom nothing is shown."""
    base = next((row for _, row in named if row.group.method == baseline), None)
    if base is None or not base.mean.n:
        why = "was not run under this recipe" if base is None else "has no number"
        return f"{baseline} {why}, so that nothing is compared with it"
    compared = [(name, row.baseline) for name, row in named if row.baseline.sign is not None]
    if len(named) == 1:
        return f"there is no other method to compare {baseline} with"
    if not compared:
        return f"nothing is shown against {baseline}: no method has two seeds in common with it"
    pairs = max(contrast.difference.pairs for _, contrast in compared if contrast.difference)
    good = words.adjective(words.good)

    def listed(sign: int) -> str:
        found = [(name, contrast) for name, contrast in compared if contrast.sign == sign]
        return ", ".join(f"{name} by {words.amount(contrast, pairs)}" for name, contrast in found)

    level = ", ".join(f"{name} {words.level(c, pairs)}" for name, c in compared if not c.sign)
    parts = [
        f"{good} than {baseline}: {text}"
        if (text := listed(words.good))
        else f"nothing is shown {good} than {baseline}",
        f"{words.adjective(-words.good)}: {text}" if (text := listed(-words.good)) else None,
        f"no difference is shown for {level}" if level else None,
        after_correction(compared),
    ]
    told = "; ".join(part for part in parts if part)
    return f"{told} ({words.measure.unit} ± half a 95 % interval, paired by seed, n = {pairs})"


def _counted(report: Report) -> list[str]:
    """How often each method is shown to be better or worse than the baseline and than its twin."""
    words = ComparisonWords(report.measure)
    by_method: dict[str, list[ReportRow]] = {}
    for row in report.rows:
        by_method.setdefault(row.group.method, []).append(row)
    told = []
    for method, rows in by_method.items():
        pairs = (("its twin", [row.twin for row in rows]), (report.baseline, [row.baseline for row in rows]))
        parts = [f"{text} {other}" for other, found in reversed(pairs) if (text := _counts_of(found, words))]
        told += [f"{method}: {'; '.join(parts)}"] if parts else []
    return told


def _counts_of(contrasts: Sequence[Contrast], words: ComparisonWords) -> str:
    signs = [contrast.sign for contrast in contrasts if contrast.sign is not None]
    if not signs:
        return ""
    held = sum(contrast.holds for contrast in contrasts)
    return (
        f"{words.adjective(words.good)} in {signs.count(words.good)}, {words.adjective(-words.good)} in"
        f" {signs.count(-words.good)}, no difference shown in {signs.count(0)} of {counted(len(signs), 'comparison')}"
        f" ({held} {'holds' if held == 1 else 'hold'} after Holm's correction of the t test for"
        f" {contrasts[0].family}) with"
    )


def _runs(report: Report) -> list[str]:
    """The runs whose numbers are missing, or are those of a coin."""
    total = sum(len(row.group.runs) for row in report.rows)
    told = {
        "diverged": "diverged and left no number",
        "at_chance": "stayed at chance, which the means include",
        "failed": "failed and left no number",
        "missing": "without a value of this metric",
        "unfinished": "still to come, so that this is not the last word",
    }
    parts = []
    for key, text in told.items():
        named = [(row.group.method, row.counts[key]) for row in report.rows if row.counts[key]]
        if named:
            where = "" if len(named) > _MOST_NAMED else f" ({', '.join(f'{name} {count}' for name, count in named)})"
            parts.append(f"{sum(count for _, count in named)} {text}{where}")
    return [f"of {counted(total, 'run')} {'; '.join(parts)}"] if parts else []


def _resolution(report: Report) -> list[str]:
    """What the sign-flip test can show with so few seeds, and does: unlike t it assumes no normality."""
    contrasts = [row.baseline for row in report.rows if row.baseline.p_holm is not None]
    pairs = max((c.difference.pairs for c in contrasts if c.difference), default=0)
    if not pairs:
        return []
    family = contrasts[0].family
    least = smallest_p_value(pairs)
    text = f"with n = {pairs} the sign-flip test's p is {least:.3g} at least"
    if family > 1:
        text += f", {min(1.0, family * least):.3g} after Holm's correction for {family} comparisons"
    if min(1.0, family * least) >= LEVEL:
        return [f"{text}; what is shown rests on t intervals, which assume that differences over seeds are normal"]
    count = sum(c.p_holm < LEVEL for c in contrasts if c.p_holm is not None)
    are = "is" if count == 1 else "are"
    shown = f"{count} of {counted(family, 'difference')} to {report.baseline} {are} shown"
    return [f"{text}; by it, without t's normality, {shown}"]
