"""The rows of the table: what is grouped, what is open, and what each row says."""

from dataclasses import replace

import pytest
from helpers.demo_store import OWNER, build_demo_store, epoch_metrics

from agopconsole.spec import RunSpec
from agopconsole.store import Store
from agopconsole.tui.columns import USUAL, fitting
from agopconsole.tui.reader import _Known
from agopconsole.tui.row_text import heading_line as worded_heading
from agopconsole.tui.row_text import row_line as worded_row
from agopconsole.tui.rows import HeadingRow, MethodRow, RowBuilder, RunRow, visible
from agopconsole.tui.snapshot import Snapshot, Wanted


def snapshot_of(store):
    return _Known(store).read(Wanted())


def build_rows(snapshot, *, grouped, opened, keep=lambda run: True, arrange=list):
    return RowBuilder().build(snapshot, grouped=grouped, opened=opened, keep=keep, arrange=arrange)


def heading_line(width, *, grouped):
    return worded_heading(width, fitting(USUAL, width, grouped=grouped), grouped=grouped)


def row_line(row, width, *, selected, grouped=True):
    return worded_row(row, width, fitting(USUAL, width, grouped=grouped), selected=selected)


@pytest.fixture(scope="module")
def demo_rows(tmp_path_factory):
    with Store(build_demo_store(tmp_path_factory.mktemp("demo") / "runs.db")) as store:
        return build_rows(snapshot_of(store), grouped=True, opened={})


def queue(store, *tables):
    return store.add_runs([RunSpec.parse(table) for table in tables])


def methods(rows):
    return {row.label: row for row in rows if isinstance(row, MethodRow)}


def test_methods_stand_in_the_order_they_were_queued_each_above_its_seeds(demo_rows):
    assert [row.method for row in demo_rows if isinstance(row, MethodRow)] == [
        "kaiming_uniform",
        "kaiming_normal",
        "lecun_normal",
        "kaiming_nfm",
        "nfm",
        "kaiming_agop",
    ]
    at = demo_rows.index(methods(demo_rows)["nfm"])
    assert [row.run.seed for row in demo_rows[at + 1 : at + 4]] == [0, 1, 2]


def test_numbers_are_those_of_the_seeds_that_are_done(demo_rows):
    row = methods(demo_rows)["kaiming_nfm"]
    done = [run for run in row.runs if run.status == "done"]
    assert row.best.n == 2
    assert row.best.mean == pytest.approx(sum(run.best_val_accuracy for run in done) / 2)
    assert row.gap == pytest.approx(sum(run.loss_gap for run in done) / 2)
    assert row.leads


def test_diverged_and_at_chance_are_counted_beside_the_mean(demo_rows):
    assert dict(methods(demo_rows)["kaiming_agop"].counts) == {"diverged": 2, "unfinished": 1}
    assert dict(methods(demo_rows)["nfm"].counts) == {"at_chance": 1, "unfinished": 1}


def test_only_what_holds_a_running_run_is_open(demo_rows):
    assert [row.label for row in methods(demo_rows).values() if row.is_open] == ["kaiming_nfm"]
    assert sum(isinstance(row, RunRow) for row in visible(demo_rows)) == 3


def test_the_user_decides_against_that(store, demo_rows):
    snapshot = Snapshot(studies=())
    assert build_rows(snapshot, grouped=True, opened={}) == []
    queue(store, {"seed": 0}, {"seed": 1})
    key = methods(build_rows(snapshot_of(store), grouped=True, opened={}))["kaiming_uniform"].key
    rows = build_rows(snapshot_of(store), grouped=True, opened={key: True})
    assert [type(row) for row in visible(rows)] == [HeadingRow, MethodRow, RunRow, RunRow]


def test_the_study_with_the_newest_run_comes_first(store):
    queue(store, {"study": "old"}, {"study": "new"}, {"study": "old", "seed": 1})
    headings = [
        row.title for row in build_rows(snapshot_of(store), grouped=True, opened={}) if isinstance(row, HeadingRow)
    ]
    assert headings == ["old", "new"]


def test_recipes_of_a_study_have_headings_of_their_own(store):
    queue(store, {"study": "s", "lr": 0.1}, {"study": "s", "lr": 0.01}, {"study": "s", "lr": 0.01, "seed": 1})
    rows = build_rows(snapshot_of(store), grouped=True, opened={})
    headings = {row.recipe: len(row.runs) for row in rows if isinstance(row, HeadingRow)}
    assert headings == {"digits · vgg11 · lr=0.1": 1, "digits · vgg11 · lr=0.01": 2}


def test_methods_of_one_name_say_how_they_differ(store):
    queue(store, {"init": "nfm", "source": "imagenet"}, {"init": "nfm", "source": "run:1"})
    assert list(methods(build_rows(snapshot_of(store), grouped=True, opened={}))) == [
        "nfm source=imagenet",
        "nfm source=run:1",
    ]


def test_runs_that_no_mean_counts_are_kept_apart(store):
    first, second = queue(store, {"study": "s"}, {"study": "s", "seed": 1})
    queue(store, {"study": "s", "init": "nfm", "source": "dataset:digits"})
    store.request_cancel(second)
    rows = build_rows(snapshot_of(store), grouped=True, opened={})
    others = next(row for row in rows if isinstance(row, HeadingRow) and "others" in row.title)
    assert {run.name for run in others.runs} == {"digits kaiming_uniform s1", "source digits"}
    assert first not in {run.id for run in others.runs}
    assert others.is_open is False


def test_flat_the_newest_run_comes_first(store):
    queue(store, {"seed": 0}, {"seed": 1})
    rows = build_rows(snapshot_of(store), grouped=False, opened={})
    assert [row.run.id for row in rows] == [2, 1]


# As text


@pytest.mark.parametrize("width", [1, 10, 30, 40, 46, 64, 120])
def test_every_line_is_as_wide_as_the_table(demo_rows, width):
    lines = [heading_line(width, grouped=True)] + [row_line(row, width, selected=True) for row in demo_rows]
    assert {line.cell_len for line in lines} == {width}


def line_of(rows, start, width=46):
    return next(text for row in rows if start in (text := row_line(row, width, selected=False).plain))


def test_numbers_stand_in_their_columns(demo_rows):
    heading = heading_line(46, grouped=True).plain
    line = line_of(demo_rows, "■ kaiming_normal")
    for name, number in (("n", "3"), ("best", "89.5"), ("±", "1.4"), ("gap", "+0.26")):
        assert line.index(number) + len(number) == heading.rindex(name) + len(name)


def test_a_method_without_a_number_says_why(demo_rows):
    assert line_of(demo_rows, "kaiming_agop").endswith("✗ 2 diverged ◌ 1 queued")


def test_what_goes_beside_a_mean_shrinks_to_signs(demo_rows):
    assert "≈ 1 at chance ◌ 1 queued" in line_of(demo_rows, "■ nfm", width=64)
    assert "≈1 ◌1" in line_of(demo_rows, "■ nfm", width=40)


def test_a_running_run_shows_how_far_it_is_at_every_width(demo_rows):
    assert "━━━━━━━─────" in line_of(demo_rows, "#16", width=64)
    for width in (38, 40, 64):
        assert "12/20" in line_of(demo_rows, "#16", width=width)


def test_a_run_that_failed_says_why(store):
    (run_id,) = queue(store, {})
    run = store.claim(OWNER)
    store.record_epoch(run_id, epoch_metrics(run, 1))
    store.finish(run_id, "failed", "the data set is not there\nsecond line")
    row = build_rows(snapshot_of(store), grouped=False, opened={})[0]
    assert row_line(row, 80, selected=False).plain.endswith("the data set is not there")
    assert row_line(row, 30, selected=False).plain.endswith("…")


def test_a_waiting_run_says_for_what(store):
    queue(store, {"init": "nfm", "source": "dataset:digits"})
    rows = build_rows(snapshot_of(store), grouped=False, opened={})
    assert "waits for #1" in line_of(rows, "nfm", width=60)


def test_the_selection_is_marked(demo_rows):
    assert row_line(demo_rows[1], 40, selected=True).plain[0] == "●"
    assert replace(demo_rows[1]) == demo_rows[1]


def test_rows_that_nothing_has_changed_are_those_of_the_last_time(store):
    queue(store, {"study": "a"}, {"study": "b"})
    known, builder = _Known(store), RowBuilder()
    for grouped in (True, False):
        first, again = (
            builder.build(known.read(Wanted()), grouped=grouped, opened={}, keep=bool, arrange=list) for _ in range(2)
        )
        assert [id(row) for row in first] == [id(row) for row in again]
        store.request_cancel(1)
        moved = builder.build(known.read(Wanted()), grouped=grouped, opened={}, keep=bool, arrange=list)
        assert {row.key for row in set(first) - set(moved)} >= {("run", 1)}
        assert any(row is first[0] for row in moved)
        store.retry(1)


def test_another_order_sorts_what_is_in_sight_and_makes_no_row_anew(store):
    queue(store, {"seed": 0}, {"seed": 1})
    snapshot, builder = snapshot_of(store), RowBuilder()
    closed = builder.build(snapshot, grouped=True, opened={}, keep=bool, arrange=list)
    assert builder.build(snapshot, grouped=True, opened={}, keep=bool, arrange=reversed_list) == closed
    opened = {row.key: True for row in closed}
    rows = builder.build(snapshot, grouped=True, opened=opened, keep=bool, arrange=list)
    turned = builder.build(snapshot, grouped=True, opened=opened, keep=bool, arrange=reversed_list)
    assert [id(row) for row in turned] == [id(row) for row in (*rows[:2], *rows[:1:-1])]


def reversed_list(rows):
    return rows[::-1]
