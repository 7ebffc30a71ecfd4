"""The table of layers: as many measures as there is room for, and in colour what is far from sound."""

import pytest
from helpers.demo_store import layers_start

from agopconsole.analysis.colours import WARNING
from agopconsole.tui.start_panel import layers_table


def warned(table):
    return {table.plain[span.start : span.end].strip() for span in table.spans if span.style == WARNING}


@pytest.mark.parametrize(("width", "last"), [(34, "m'Sm"), (36, "PR"), (46, "grad"), (80, "gradient")])
def test_columns_that_do_not_fit_are_left_out(width, last):
    lines = layers_table(layers_start("kaiming_nfm"), width).plain.split("\n")
    assert len(lines) == 9
    assert lines[0].split()[-1] == last
    assert {len(line) <= width for line in lines} == {True}


def test_numbers_far_from_a_sound_start_are_marked():
    assert warned(layers_table(layers_start("kaiming_normal"), 80)) == set()
    assert {"1.6k", "1.0"} <= warned(layers_table(layers_start("kaiming_nfm"), 80))


def test_before_a_run_has_begun_it_says_so():
    assert layers_table((), 40).plain == "no start recorded yet"
