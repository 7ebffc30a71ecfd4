"""Why a run stands as it does, and how it differs from another: from records alone, without a screen."""

import math
from dataclasses import replace

import pytest
from helpers.demo_store import layers_start
from helpers.stored_runs import add_done

from agopconsole.metrics import LayerAnsatz
from agopconsole.tui.causes import causes
from agopconsole.tui.layer_table import ANSATZ_COLUMNS, MORE_COLUMNS, START_COLUMNS, layers_table
from agopconsole.tui.pick_screen import nearest
from agopconsole.tui.run_facts import differences, facts_text
from agopconsole.tui.run_files import files_text, list_files
from agopconsole.tui.words import file_size, loss


@pytest.fixture
def runs(store):
    for seed, init in ((0, "nfm"), (1, "nfm"), (0, "lecun_normal"), (0, "kaiming_uniform")):
        add_done(store, 80.0, init=init, seed=seed, study="s", source="imagenet")
    return {run.id: run for run in store.runs()}


def test_a_run_that_is_well_has_no_cause_and_a_failed_one_says_its_error_and_its_deaths(runs):
    assert causes(runs[1], runs, layers_start("nfm")) == []
    failed = replace(runs[1], status="failed", error="the data set is not there", deaths=2)
    assert causes(failed, runs, ()) == [
        "the data set is not there",
        "its process died 2 times since it last got further",
    ]


def test_the_error_of_a_source_is_said_wherever_it_stands_and_once(runs):
    root = replace(runs[3], status="failed", error="no such file", epoch=3, epochs=9)
    middle = replace(runs[2], status="failed", error="its source, run #3, failed: no such file", source_run=3)
    waiting = replace(runs[1], status="waiting", source_run=2)
    there = {1: waiting, 2: middle, 3: root}
    assert causes(waiting, there, ()) == [
        "its source #2 nfm s1: failed, epoch 1/20: its source, run #3, failed: no such file",
        "its source #3 lecun_normal s0: failed, epoch 3/9",
    ]
    assert causes(replace(waiting, source_run=77), there, ()) == []
    assert len(causes(replace(waiting, source_run=1), {1: waiting}, ())) == 0


def test_the_start_is_named_as_a_cause_only_where_nothing_came_of_it(runs):
    start = layers_start("kaiming_agop")
    lines = causes(replace(runs[1], diverged=1, error="the loss is nan"), runs, start)
    assert lines[0] == "the loss is nan"
    assert lines[1].startswith("its start: outputs explode: from features.11 on ")
    assert causes(replace(runs[1], at_chance=1), runs, ()) == ["it never left chance"]


def test_two_runs_differ_in_what_was_asked_and_where_they_ran_and_in_nothing_else(runs):
    assert differences(runs[1], runs[2]) == {"seed": (0, 1)}
    assert differences(runs[1], replace(runs[1], id=9, device="cuda:1", created_at="2020")) == {
        "device": (None, "cuda:1")
    }
    assert "asked for and trained alike" in facts_text(runs[1], runs, (), replace(runs[1], id=9)).plain
    assert "seed  0, there 1" in facts_text(runs[1], runs, (), runs[2]).plain


def test_the_nearest_runs_to_compare_with_are_repeats_and_the_twin(runs):
    assert runs[1].twin == "lecun_normal"
    assert [run.id for run in nearest(runs[1], runs.values())] == [3, 2, 4]


def test_layers_show_their_matrices_below_them_and_what_is_not_known_as_not_known():
    layers = layers_start("kaiming_normal")[:2]
    ansatz = [LayerAnsatz("features.0", 0.5, 0.75, math.nan), LayerAnsatz("features.3[1]", 0.25, 0.5, 1.0)]
    rows = layers_table(layers, 100, (*START_COLUMNS, *MORE_COLUMNS, *ANSATZ_COLUMNS), ansatz).plain.split("\n")
    assert rows[1].split()[-3:] == ["0.5", "0.75", "-"]
    assert rows[2].split()[-5:] == ["128", "64", "-", "-", "-"]
    assert rows[3].split() == ["features.3[1]", *["-"] * 8, "0.25", "0.5", "1.0"]
    assert len(layers_table((), 100, ANSATZ_COLUMNS, ansatz).plain.split("\n")) == 3


def test_files_are_listed_and_a_folder_that_is_not_there_has_none(tmp_path):
    assert list_files(tmp_path / "none") == ()
    assert files_text(()).plain == "no checkpoint here"
    (tmp_path / "last.pt").write_bytes(bytes(1536))
    [file] = list_files(tmp_path)
    assert (file.name, file.size) == ("last.pt", 1536)
    assert files_text([file]).plain.startswith("last.pt   1.5 KiB  ")


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 KiB"), (36e6, "34 MiB"), (5e12, "4.5 TiB")]
)
def test_a_size_is_worded_in_the_unit_that_fits(size, words):
    assert file_size(int(size)) == words


def test_a_loss_that_is_no_number_is_a_sign():
    assert (loss(0.25), loss(math.nan), loss(math.inf)) == ("0.2500", "✗", "✗")
