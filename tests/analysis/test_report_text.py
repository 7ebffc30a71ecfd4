"""A report in every format."""

import csv
import io
import json
import re

import pytest
from helpers.imports import HEAVY, loaded_by
from helpers.stored_runs import add_done, add_failed, add_seeds

from agopconsole.analysis.answer import answer
from agopconsole.analysis.report import build_report
from agopconsole.analysis.report_text import render_report
from agopconsole.analysis.tables import FORMATS, Look

KEYS = {"dataset", "init", "n", "mean", "std", "ci95", "delta", "delta_ci95", "p_value", "reference"}


@pytest.fixture
def mixed(store):
    """Two data sets, a twin, a run at chance, one that diverged, and one without a partner."""
    for dataset in ("cifar10", "svhn"):
        add_seeds(store, "kaiming_uniform", [50.0, 51.0, 52.5], dataset=dataset, study="mixed")
        add_seeds(store, "kaiming_normal", [50.5, 51.0, 52.0], dataset=dataset, study="mixed")
        add_seeds(store, "kaiming_nfm", [60.0, 61.1, 62.4], dataset=dataset, study="mixed")
    add_done(store, 10.0, at_chance=True, init="nfm", dataset="svhn", study="mixed")
    add_failed(store, diverged=True, init="agop", dataset="svhn", study="mixed")
    return build_report(store, against="poster")


def test_json_is_the_object_of_the_design(mixed):
    found = json.loads(render_report(mixed, "json"))
    assert found["answer"] == list(answer(mixed))
    assert found["metric"] == "best_val_accuracy"
    assert len(found["rows"]) == 8
    assert all(set(row) >= KEYS for row in found["rows"])
    assert found["rows"] == json.loads(json.dumps(mixed.row_dicts()))


def test_csv_has_the_keys_of_json(mixed):
    rows = list(csv.DictReader(io.StringIO(render_report(mixed, "csv"))))
    assert [row["init"] for row in rows] == [row["init"] for row in mixed.row_dicts()]
    assert float(rows[2]["twin_delta"]) == mixed.row_dicts()[2]["twin_delta"]
    assert rows[-1]["mean"] == ""


@pytest.mark.parametrize("output_format", ["table", "markdown", "latex"])
def test_a_reader_sees_every_row_every_flag_and_what_the_marks_mean(mixed, output_format):
    text = render_report(mixed, output_format).replace("\\", "")
    rows = [line for line in text.splitlines() if len(re.findall(r"\||&|  ", line)) > 8]
    assert sum("kaiming_nfm" in row for row in rows) == 2
    assert sum("1 at chance" in row for row in rows) == 1
    assert sum("1 diverged" in row for row in rows) == 1
    assert text.count("78.69") == 1
    for words in (
        "study mixed",
        "95 % t interval",
        "paired by seed",
        "sign-flip",
        "Δ twin:",
        "seeds 0 to 3 not 3",
    ):
        assert words in text


def test_a_difference_is_starred_where_its_interval_leaves_zero_out(mixed):
    lines = render_report(mixed, "markdown").splitlines()
    (nfm,) = [line for line in lines if line.startswith("| cifar10 | kaiming_nfm")]
    (normal,) = [line for line in lines if line.startswith("| cifar10 | kaiming_normal")]
    assert nfm.count(r"\*") == 2
    assert "*" not in normal


def test_columns_that_would_be_empty_are_left_out(store):
    add_seeds(store, "normal", [50.0])
    head = render_report(build_report(store), "markdown").splitlines()[2]
    assert head == "| method | n | mean | std |"


def test_fields_that_vary_are_columns(store):
    add_seeds(store, "normal", [50.0])
    add_seeds(store, "normal", [60.0], batch_size=32)
    lines = render_report(build_report(store), "markdown").splitlines()
    assert lines[2].startswith("| method | batch size | n |")
    assert lines[5].startswith("| normal | 32 | 1 | 60.00 |")


@pytest.mark.parametrize("output_format", FORMATS)
def test_an_empty_store_has_a_report_too(store, output_format):
    text = render_report(build_report(store), output_format)
    assert json.loads(text)["rows"] == [] if output_format == "json" else text


def test_a_report_can_be_read_without_unicode(mixed):
    assert render_report(mixed, "table", Look(unicode=False)).isascii()


def test_a_report_needs_no_numerical_library(mixed, store):
    code = (
        "import sys; from pathlib import Path; from agopconsole.store import Store\n"
        "from agopconsole.analysis.report import build_report\n"
        "from agopconsole.analysis.report_text import render_report\n"
        "print(render_report(build_report(Store(Path(sys.argv[1]))), 'csv'))"
    )
    modules, out = loaded_by(code, store.path)
    assert not modules & (HEAVY | {"rich"})
    assert len(out.splitlines()) == 1 + len(mixed.rows)
