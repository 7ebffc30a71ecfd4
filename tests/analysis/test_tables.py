import csv
import io
import json
import os
import re

import pytest

from agopconsole.analysis.tables import FORMATS, Column, Look, fixed, number, plus_minus, render, shown, to_json
from agopconsole.errors import RequestError

COLUMNS = [
    Column("name", "method"),
    number("best", "best (%)"),
    Column("delta", "Δ", "right", lambda row: plus_minus(row["best"], 0.5, 1, sign=True), lambda _: "red"),
]
ROWS = [
    {"name": "kaiming_nfm", "best": 12.3456, "flags": ["at_chance", "diverged"]},
    {"name": "a|b_c", "best": float("nan"), "flags": []},
]


class FakeStream(io.StringIO):
    def __init__(self, *, terminal, encoding="utf-8"):
        super().__init__()
        self.terminal, self._encoding = terminal, encoding

    @property
    def encoding(self):
        return self._encoding

    def isatty(self):
        return self.terminal


def reject_constant(name):
    raise AssertionError(f"{name} is no JSON")


def table_lines(rows=ROWS, **look):
    return render(rows, COLUMNS, "table", Look(**look)).splitlines()


def test_json_gives_every_key_and_null_for_nan():
    found = json.loads(render(ROWS, COLUMNS, "json"), parse_constant=reject_constant)
    assert found == [ROWS[0], {**ROWS[1], "best": None}]


def test_json_is_strict_however_deep_the_nan_lies():
    text = to_json({"a": [float("inf"), {"b": (-float("inf"), 1.5)}], 2: float("nan")})
    assert json.loads(text, parse_constant=reject_constant) == {"a": [None, {"b": [None, 1.5]}], "2": None}


def test_json_for_a_place_without_unicode_is_ascii():
    text = to_json({"name": "é"}, Look(unicode=False))
    assert text.isascii()
    assert json.loads(text) == {"name": "é"}


def test_csv_gives_every_key_unrounded():
    head, *rows = csv.reader(io.StringIO(render([*ROWS, {"name": 'say "x", y\nz'}], COLUMNS, "csv")))
    assert head == ["name", "best", "flags"]
    assert rows == [
        ["kaiming_nfm", "12.3456", "at_chance diverged"],
        ["a|b_c", "", ""],
        ['say "x", y\nz', "", ""],
    ]


def test_csv_without_rows_still_has_its_head():
    assert render([], COLUMNS, "csv") == "name,best,delta"


def test_markdown_has_as_many_cells_in_every_line():
    lines = render(ROWS, COLUMNS, "markdown").splitlines()
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    assert cells == [
        ["method", "best (%)", "Δ"],
        ["---", "---:", "---:"],
        ["kaiming_nfm", "12.35", "+12.3 ± 0.5"],
        [r"a\|b_c", "", ""],
    ]


def test_markdown_keeps_a_line_break_out_of_a_row():
    assert len(render([{**ROWS[0], "name": "two\nlines"}], COLUMNS, "markdown").splitlines()) == 3


def test_latex_escapes_and_uses_booktabs():
    text = render([{"name": r"50% & #1_x {y} ~^\ [z]", "best": 1.0}], COLUMNS, "latex")
    assert (
        r"50\% \& \#1\_x \{y\} \textasciitilde{}\textasciicircum{}\textbackslash{} {[}z] & 1.00 & +1.0 $\pm$ 0.5 \\"
        in text
    )
    assert text.startswith(r"\begin{tabular}{lrr}")
    assert [line for line in text.splitlines() if line.endswith("rule")] == [r"\toprule", r"\midrule", r"\bottomrule"]


def test_a_table_shows_numbers_as_its_columns_say():
    lines = table_lines()
    assert lines[0].split() == ["method", "best", "(%)", "Δ"]
    assert lines[2].split() == ["kaiming_nfm", "12.35", "+12.3", "±", "0.5"]
    assert lines[3].split() == ["a|b_c"]


def test_brackets_in_a_name_are_no_markup():
    assert "[bold]x[/bold]" in render([{**ROWS[0], "name": "[bold]x[/bold]"}], COLUMNS)


def test_a_table_has_escape_sequences_only_where_there_is_colour():
    assert "\x1b[" in "".join(table_lines(colour=True))
    assert "\x1b" not in "".join(table_lines())


def test_a_place_without_unicode_gets_ascii_alone():
    text = "\n".join(table_lines([{**ROWS[0], "name": "é"}], unicode=False))
    assert text.isascii()
    assert "+12.3 +- 0.5" in text
    assert "delta" in text


def test_a_pipe_gets_every_row_on_one_line():
    long = [{"name": "x" * 300, "best": 1.0}]
    assert "x" * 300 in table_lines(long)[2]


def test_a_narrow_terminal_folds_words():
    lines = table_lines([{**ROWS[0], "name": "y" * 60}], width=60)
    assert max(map(len, lines)) <= 60
    assert "".join(lines).count("y") == 60


@pytest.mark.parametrize("width", [1, 10, 24])
def test_no_terminal_is_too_narrow_for_whole_numbers(width):
    text = "\n".join(table_lines(width=width))
    assert "12.35" in text
    assert "+12.3 ± 0.5" in text


@pytest.mark.parametrize("output_format", FORMATS)
def test_a_table_without_rows_can_be_printed(output_format):
    text = render([], COLUMNS, output_format)
    assert text == "[]" if output_format == "json" else "b" in text


def test_an_unknown_format_is_refused_with_the_known_ones():
    with pytest.raises(RequestError, match=r"unknown format 'markdwon'; did you mean 'markdown'.*latex"):
        render(ROWS, COLUMNS, "markdwon")


def test_values_in_words():
    assert [shown(v) for v in (None, float("nan"), True, 0.123456, 3, ["a", "b"], "x")] == [
        "",
        "",
        "yes",
        "0.1235",
        "3",
        "a, b",
        "x",
    ]


def test_numbers_that_are_missing_show_nothing():
    assert (fixed(None, 2), fixed(float("nan"), 2), plus_minus(None, 1.0, 2)) == ("", "", "")
    assert plus_minus(1.0, None, 2) == "1.00"


def test_where_a_table_may_be_wider_no_word_is_broken():
    rows = [{"name": "kaiming_uniform_of_a_kind scale=poster", "best": 1.0}]
    narrow, whole = ("\n".join(table_lines(rows, width=30, whole_words=w)) for w in (False, True))
    assert "kaiming_uniform_of_a_kind" not in narrow
    assert "kaiming_uniform_of_a_kind" in whole
    assert "scale=poster" in whole
    assert "kaiming_uniform_of_a_kind scale" not in whole, "it is no wider than the words need"


def test_the_look_of_a_pipe_is_plain_and_without_limit():
    assert Look.of(FakeStream(terminal=False), {}) == Look(width=None, colour=False, unicode=True)


def test_the_look_of_a_terminal_has_width_and_colour():
    assert Look.of(FakeStream(terminal=True), {"COLUMNS": "132", "TERM": "xterm"}) == Look(132, True, True)


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colour_can_be_refused(environment):
    assert not Look.of(FakeStream(terminal=True), {"COLUMNS": "80", **environment}).colour


@pytest.mark.parametrize("encoding", ["ascii", "ANSI_X3.4-1968", "latin-1", None])
def test_a_locale_without_utf8_gets_ascii(encoding):
    assert not Look.of(FakeStream(terminal=False, encoding=encoding), os.environ).unicode


def test_a_terminal_of_unknown_width_counts_as_80():
    assert Look.of(FakeStream(terminal=True), {"TERM": "xterm"}).width == 80
