"""What a feature method owes to its features: direction, scale or luck, in one sentence each.

The twin has the same scale, basis and layers without features, so that a difference to it is the features'; the
method with random eigenvectors has the same spectrum, so that a difference to it is the directions'. Features can
change the scale of a layer's outputs at an equal scale of its weights, so the starts of both are told beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from agopconsole.analysis.comparison_words import ComparisonWords
from agopconsole.analysis.contrasts import Contrast
from agopconsole.analysis.report import ReportRow
from agopconsole.analysis.starts import Start, say_mean_square
from agopconsole.wording import counted

_APART = 4.0
"""Outputs whose mean squares differ by more than this factor start at different scales."""


def say_worth(named: Sequence[tuple[str, ReportRow]], words: ComparisonWords) -> list[str]:
    """A sentence for each feature method of one table.

    Args:
        named: its rows, each with a name of its own.
        words: those of its metric.
    """
    rows = {row.group.method: row for _, row in named}
    return [
        f"{name}: {'; '.join(_parts(row, rows, words))}"
        for name, row in named
        if row.twin.other is not None and row.counts["unfinished"] < len(row.group.runs)
    ]


def _parts(row: ReportRow, rows: Mapping[str, ReportRow], words: ComparisonWords) -> list[str]:
    twin = rows.get(str(row.twin.other))
    parts = [_lost(row), *_beside_twin(row, words), *_beside_rotated(row, words)]
    if twin is not None:
        parts += _scale(row, twin, words)
    return [part for part in parts if part]


def _lost(row: ReportRow) -> str:
    diverged, runs = row.counts["diverged"], len(row.group.runs)
    if diverged == runs:
        return f"no number, {'its one run' if runs == 1 else f'all {runs} runs'} diverged"
    return (
        f"of its {counted(runs, 'run')} {diverged} diverged and {'is' if diverged == 1 else 'are'} left out"
        if diverged
        else ""
    )


def _beside_twin(row: ReportRow, words: ComparisonWords) -> list[str]:
    contrast, twin = row.twin, row.twin.other
    if contrast.difference is None:
        return [f"its isotropic twin {twin} was not run, so that features and scale are not told apart"]
    if contrast.sign is None:
        return [f"not compared with its isotropic twin {twin}, for want of two seeds that both have"] * bool(
            row.mean.n
        )
    if contrast.sign:
        better = words.adjective(contrast.sign)
        told = f"its features make it {better} than its isotropic twin {twin} by {words.amount(contrast)}"
        return [told + _corrected(contrast)]
    told = f"no difference to its isotropic twin {twin} is shown {words.level(contrast)}"
    if row.baseline.sign == 0:
        return [f"{told}, nor to {row.baseline.other}: what the means differ by may be luck"]
    return [f"{told}, so that nothing is put down to its features"]


def _beside_rotated(row: ReportRow, words: ComparisonWords) -> list[str]:
    contrast = row.rotated
    if contrast.sign is None:
        return []
    if contrast.sign:
        told = f"{words.adjective(contrast.sign)} than its spectrum in random directions by {words.amount(contrast)}"
        return [f"{told}{_corrected(contrast)}: the directions' doing"]
    return [f"no difference to its spectrum in random directions is shown {words.level(contrast)}"]


def _corrected(contrast: Contrast) -> str:
    if contrast.holds or contrast.family < 2:
        return ""
    return f", which does not hold after Holm's correction of the t test for {contrast.family} comparisons"


def _scale(row: ReportRow, twin: ReportRow, words: ComparisonWords) -> list[str]:
    """What the twin owes to scale alone, and how far the two starts are apart."""
    told = []
    if twin.baseline.sign:
        better = words.adjective(twin.baseline.sign)
        told.append(
            f"the twin itself is {better} than {twin.baseline.other} by {words.amount(twin.baseline)}, in which no"
            " feature has a part"
        )
    if row.start.runs and twin.start.runs:
        squares = [say_mean_square(start.output_mean_square) for start in (row.start, twin.start)]
        ratios = [f"{start.participation_ratio:.1f}" for start in (row.start, twin.start)]
        told.append(
            f"at the start its worst layer's outputs have mean square {squares[0]} (twin {squares[1]}), its last"
            f" layer participation ratio {ratios[0]} (twin {ratios[1]})"
        )
        if row.twin.sign and _far_apart(row.start, twin.start):
            told.append("how much is that scale and how much direction, these two do not tell apart")
    return told


def _far_apart(one: Start, other: Start) -> bool:
    return abs(math.log(one.output_mean_square / other.output_mean_square)) > math.log(_APART)
