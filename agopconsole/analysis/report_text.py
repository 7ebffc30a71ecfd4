"""A report in any format: its columns, its caption, and the two together as text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from agopconsole.analysis.answer import answer
from agopconsole.analysis.ranks import Ranks
from agopconsole.analysis.report import Report
from agopconsole.analysis.starts import say_mean_square
from agopconsole.analysis.statistics import leaves_zero_out
from agopconsole.analysis.tables import (
    Column,
    Look,
    Row,
    in_latex,
    in_markdown,
    number,
    plus_minus,
    render,
    to_json,
)

_COUNTS = {
    "at_chance": "at chance",
    "diverged": "diverged",
    "failed": "failed",
    "unfinished": "unfinished",
    "missing": "without a value",
}
_LEGEND = {
    "at_chance": "at chance: the training loss never left ln(classes); it counts in the mean",
    "diverged": "diverged: a loss was not finite; there is no number to count in the mean",
    "failed": "failed: ended for another reason; not in the mean",
    "unfinished": "unfinished: still to come",
    "missing": "without a value: done, but without a value of this metric",
}
_START_LEGEND = (
    "outputs: mean square at the start, in the layer that is furthest from 2, which Kaiming's start keeps from layer"
    " to layer; participation ratio: in how many directions the images differ at the last layer, 1 if all look alike"
)


def render_report(
    report: Report, output_format: str = "table", look: Look | None = None, *, why: bool = False
) -> str:
    """The report in one of `tables.FORMATS`; a reader's formats carry the answer, and a caption for every mark.

    Args:
        report: what to print.
        output_format: how.
        look: what the place it is printed in can show.
        why: whether a second table tells how the runs started; the formats for a program always do.

    Raises:
        RequestError: if the format is unknown.
    """
    look = look or Look()
    if output_format == "json":
        return to_json({"answer": answer(report), **report.as_dict()}, look)
    rows = report.row_dicts()
    tables = [render(rows, report_columns(report), output_format, look)]
    if output_format == "csv":
        return tables[0]
    title, *notes = caption(report)
    if why and rows:
        tables.append(render(rows, start_columns(report), output_format, look))
        notes.append(_START_LEGEND)
    title, *notes = (look.fit(line) for line in (title, *notes))
    told = [look.fit(sentence) for sentence in answer(report)]
    if output_format == "latex":
        return "\n".join([f"% {title}", *tables, *_latex_note(told), *(f"% {line}" for line in notes)])
    if output_format == "markdown":
        return "\n\n".join([title, *tables, *_markdown_list(told), "\n\n".join(notes)])
    return "\n\n".join([title, *tables, *answer_lines(told, look), "\n".join(notes)])


def answer_lines(sentences: Sequence[str], look: Look) -> list[str]:
    """The answer for a terminal as one text, no line longer than it is wide; none if there is no answer."""
    lines = [f"- {sentence}" for sentence in sentences]
    if look.width:
        lines = [textwrap.fill(line, max(look.width, 20), subsequent_indent="  ") for line in lines]
    return ["\n".join(["answer:", *lines])] if lines else []


def _markdown_list(sentences: Sequence[str]) -> list[str]:
    return ["\n".join(["**Answer**", "", *(f"- {in_markdown(sentence)}" for sentence in sentences)])] * bool(
        sentences
    )


def _latex_note(sentences: Sequence[str]) -> list[str]:
    """The answer as a note under the table, set small."""
    lines = [rf"{in_latex(sentence)}.\par" for sentence in sentences]
    return [r"\par\smallskip{\footnotesize", *lines, "}"] if lines else []


def report_columns(report: Report) -> list[Column]:
    """The columns that a reader sees: those that say something in this report."""
    rows = report.row_dicts()
    digits = report.measure.digits

    def any_of(*keys: str) -> bool:
        return any(row[key] for row in rows for key in keys)

    columns = _naming_columns(report)
    columns += [
        Column("n", "n", "right"),
        Column("mean", "mean", "right", lambda row: plus_minus(row["mean"], row["ci95"], digits)),
        number("std", "std", digits),
    ]
    if any_of("pairs"):
        columns += [_difference("delta", "Δ baseline", digits), number("p_value", "p", 3)]
    if _corrected(rows):
        columns.append(number("p_holm", "p Holm", 3))
    if any_of("twin_pairs"):
        columns.append(_difference("twin_delta", "Δ twin", digits))
    if any_of("rotated_pairs"):
        columns.append(_difference("rotated_delta", "Δ rotated", digits))
    if any_of("reference"):
        columns.append(number("reference", "poster"))
    if any_of(*_COUNTS):
        columns.append(Column("diverged", "beware", text=_beware, style=lambda _: "red"))
    return columns


def start_columns(report: Report) -> list[Column]:
    """The columns of the table that tells how the runs started, and what came of it."""
    rows, digits = report.row_dicts(), report.measure.digits
    columns = [
        *_naming_columns(report),
        Column("start", "outputs", "right", lambda row: say_mean_square(row["start_output_mean_square"])),
        number("start_participation_ratio", "participation ratio", 1),
        Column("mean", "mean", "right", lambda row: plus_minus(row["mean"], row["ci95"], digits)),
    ]
    for key, title in (("twin", "Δ twin"), ("rotated", "Δ rotated")):
        if any(row[f"{key}_pairs"] for row in rows):
            columns.append(_difference(f"{key}_delta", title, digits))
    return columns


def _naming_columns(report: Report) -> list[Column]:
    """Those that tell the rows apart."""
    columns = [Column("dataset", "data set")] if len(_datasets(report)) > 1 else []
    columns.append(Column("init", "method"))
    return columns + [Column(name, name.replace("_", " ")) for name in report.varied]


def caption(report: Report) -> list[str]:
    """The title of the table, and one line for each thing that its reader may ask."""
    rows = report.row_dicts()
    scope = f"study {report.study}" if report.study else "every run of the store"
    datasets = _datasets(report)
    title = "; ".join([report.measure.title, scope, *(datasets if len(datasets) == 1 else [])])
    if not rows:
        return [title, "no runs yet"]
    lines = [title, "mean ± half the width of its 95 % t interval over n seeds; std: deviation of a single seed"]
    if any(row["pairs"] for row in rows):
        lines += [
            f"Δ baseline: difference to {report.baseline}, paired by seed, ± as above;"
            " * the interval leaves 0 out; without * no difference is shown at that n",
            "p: two-sided sign-flip test of that difference",
        ]
    if _corrected(rows):
        lines.append("p Holm: adjusted for the number of methods that the table compares with the baseline")
    if any(row["twin_pairs"] for row in rows):
        lines.append(
            "Δ twin: the same, to isotropic filters of equal scale and basis; only this is due to the features"
        )
    if any(row["rotated_pairs"] for row in rows):
        lines.append("Δ rotated: the same, to the same spectrum in random directions; only this is due to directions")
    lines += [text for key, text in _LEGEND.items() if any(row[key] for row in rows)]
    if report.ranks:
        lines.append(
            _ranks_in_words(report.ranks, "data sets" if len(datasets) == report.ranks.blocks else "recipes")
        )
    return [*lines, report.caveat] if report.caveat else lines


def _corrected(rows: Sequence[Row]) -> bool:
    """Whether more than one p-value is adjusted for the others."""
    return sum(row["p_holm"] is not None for row in rows) > 1


def _ranks_in_words(ranks: Ranks, blocks: str) -> str:
    listed = ", ".join(f"{method} {rank:.1f}" for method, rank in ranks.mean_rank.items())
    chance = "" if ranks.p_value is None else f"; Friedman's test that all rank alike: p = {ranks.p_value:.3f}"
    return f"mean rank over {ranks.blocks} {blocks}, 1 the best, one without a mean last: {listed}{chance}"


def _datasets(report: Report) -> list[str]:
    return list(dict.fromkeys(row.group.settings["dataset"] for row in report.rows))


def _difference(key: str, title: str, digits: int) -> Column:
    """A column of differences with their intervals, starred and bold where the interval leaves 0 out."""

    def stands_out(row: Row) -> bool:
        return leaves_zero_out(row[key], row[f"{key}_ci95"])

    def text(row: Row) -> str:
        plain = plus_minus(row[key], row[f"{key}_ci95"], digits, sign=True)
        return f"{plain} {'*' if stands_out(row) else ' '}" if plain else ""

    return Column(key, title, "right", text, lambda row: "bold" if stands_out(row) else "")


def _beware(row: Row) -> str:
    return ", ".join(f"{row[key]} {words}" for key, words in _COUNTS.items() if row[key])
