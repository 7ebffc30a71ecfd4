"""A report in any format: its columns, its caption, and the two together as text."""

from __future__ import annotations

from collections.abc import Sequence

from agopconsole.analysis.ranks import Ranks
from agopconsole.analysis.report import Report
from agopconsole.analysis.statistics import leaves_zero_out
from agopconsole.analysis.tables import Column, Look, Row, number, plus_minus, render, to_json

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


def render_report(report: Report, output_format: str = "table", look: Look | None = None) -> str:
    """The report in one of `tables.FORMATS`; a reader's formats carry a caption that explains every mark.

    Raises:
        RequestError: if the format is unknown.
    """
    look = look or Look()
    if output_format == "json":
        return to_json(report.as_dict(), look)
    table = render(report.row_dicts(), report_columns(report), output_format, look)
    if output_format == "csv":
        return table
    title, *notes = (look.fit(line) for line in caption(report))
    if output_format == "latex":
        return "\n".join([f"% {title}", table, *(f"% {line}" for line in notes)])
    separator = "\n\n" if output_format == "markdown" else "\n"
    return "\n\n".join([title, table, separator.join(notes)])


def report_columns(report: Report) -> list[Column]:
    """The columns that a reader sees: those that say something in this report."""
    rows = report.row_dicts()
    digits = report.measure.digits

    def any_of(*keys: str) -> bool:
        return any(row[key] for row in rows for key in keys)

    columns = [Column("dataset", "data set")] if len(_datasets(report)) > 1 else []
    columns.append(Column("init", "method"))
    columns += [Column(name, name.replace("_", " ")) for name in report.varied]
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
    if any_of("reference"):
        columns.append(number("reference", "poster"))
    if any_of(*_COUNTS):
        columns.append(Column("diverged", "beware", text=_beware, style=lambda _: "red"))
    return columns


def caption(report: Report) -> list[str]:
    """The title of the table, and one line for each thing that its reader may ask."""
    rows = report.row_dicts()
    scope = f"study {report.study}" if report.study else "every run of the store"
    datasets = _datasets(report)
    title = "; ".join([report.measure.title, scope, *(datasets if len(datasets) == 1 else [])])
    if not rows:
        return [title, "no runs yet"]
    lines = [title, "mean ± half the width of its 95 % t interval over n seeds; std: deviation of a single seed"]
    if pairs := [row["pairs"] for row in rows if row["pairs"]]:
        lines += [
            f"Δ baseline: difference to {report.baseline}, paired by seed, ± as above;"
            " * the interval leaves 0 out; without * no difference is shown at that n",
            "p: two-sided sign-flip test of that difference" + _smallest_p(max(pairs)),
        ]
    if _corrected(rows):
        lines.append("p Holm: adjusted for the number of methods that the table compares with the baseline")
    if any(row["twin_pairs"] for row in rows):
        lines.append(
            "Δ twin: the same, to isotropic filters of equal scale and basis; only this is due to the features"
        )
    lines += [text for key, text in _LEGEND.items() if any(row[key] for row in rows)]
    if report.ranks:
        lines.append(_ranks_in_words(report.ranks))
    return [*lines, report.caveat] if report.caveat else lines


def _corrected(rows: Sequence[Row]) -> bool:
    """Whether more than one p-value is adjusted for the others."""
    return sum(row["p_holm"] is not None for row in rows) > 1


def _ranks_in_words(ranks: Ranks) -> str:
    listed = ", ".join(f"{method} {rank:.1f}" for method, rank in ranks.mean_rank.items())
    chance = "" if ranks.p_value is None else f"; Friedman's test that all rank alike: p = {ranks.p_value:.3f}"
    return f"mean rank over {ranks.blocks} data sets, 1 the best, one without a mean last: {listed}{chance}"


def _datasets(report: Report) -> list[str]:
    return list(dict.fromkeys(row.group.settings["dataset"] for row in report.rows))


def _smallest_p(pairs: int) -> str:
    smallest = 2 / 2**pairs
    return f"; with {pairs} seeds it cannot fall below {smallest:g}" if 0.05 < smallest < 1 else ""


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
