"""The reader: one snapshot a change, none without, and an end when it is asked to."""

import queue
from contextlib import contextmanager

import pytest
from helpers.demo_store import OWNER, epoch_metrics

from agopconsole.metrics import EpochAnsatz, LayerAnsatz, StepMetrics
from agopconsole.spec import RunSpec
from agopconsole.store import Store
from agopconsole.tui import reader as reader_module
from agopconsole.tui.messages import SnapshotRead, StoreTrouble
from agopconsole.tui.reader import StoreReader
from agopconsole.tui.snapshot import Wanted


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(reader_module, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(reader_module, "RETRY_SECONDS", 0.02)


@contextmanager
def reading(path):
    posted = queue.Queue()
    reader = StoreReader(path, posted.put)
    reader.start()
    yield reader, posted
    reader.stop()
    assert reader.join(5)


def snapshot_from(posted):
    message = posted.get(timeout=5)
    assert isinstance(message, SnapshotRead), message
    return message.snapshot


def test_it_reads_at_once_and_then_for_each_change(demo):
    with reading(demo) as (_, posted), Store(demo) as store:
        assert len(snapshot_from(posted).runs) == 18
        store.add_runs([RunSpec.parse({"study": "another"})])
        after = snapshot_from(posted)
        assert len(after.runs) == 19
        assert [study.name for study in after.studies] == ["another", "digits-transfer"]


def test_without_a_change_it_is_silent(demo):
    with reading(demo) as (_, posted):
        snapshot_from(posted)
        with pytest.raises(queue.Empty):
            posted.get(timeout=0.3)


def test_it_brings_what_is_wanted(demo):
    with reading(demo) as (reader, posted):
        assert snapshot_from(posted).histories == {}
        reader.want(Wanted(frozenset({1, 6, 17, 999}), start=4, log=6))
        snapshot = snapshot_from(posted)
    assert {run_id: len(history) for run_id, history in snapshot.histories.items()} == {1: 20, 6: 1, 17: 0}
    assert [layer.layer for layer in snapshot.start][:2] == ["features.0", "features.3"]
    assert snapshot.log[-1].level == "error"


def test_only_histories_that_moved_are_read_again(demo, monkeypatch):
    asked = []
    histories = Store.histories
    monkeypatch.setattr(Store, "histories", lambda self, ids: asked.append(set(ids)) or histories(self, ids))
    with reading(demo) as (reader, posted), Store(demo) as store:
        snapshot_from(posted)
        reader.want(Wanted(frozenset({15, 16})))
        snapshot_from(posted)
        store.record_epoch(16, epoch_metrics(store.run(16), 13))
        while len(snapshot_from(posted).histories[16]) != 13:
            pass
        reader.refresh()
        snapshot_from(posted)
    assert [ids for ids in asked if ids] == [{15, 16}, {16}, {15, 16}]


def test_a_store_that_goes_and_comes_back_is_said_and_read_again(demo, tmp_path):
    with reading(demo) as (_, posted):
        snapshot_from(posted)
        aside = tmp_path / "aside"
        aside.mkdir()
        files = list(demo.parent.glob("runs.db*"))
        for file in files:
            file.rename(aside / file.name)
        message = posted.get(timeout=5)
        assert isinstance(message, StoreTrouble)
        assert message.text == "runs.db is gone"
        for file in files:
            (aside / file.name).rename(file)
        while isinstance(message, StoreTrouble):
            message = posted.get(timeout=5)
        assert len(message.snapshot.runs) == 18


def test_another_file_of_the_same_name_is_read_in_its_place(demo, tmp_path):
    with reading(demo) as (_, posted):
        snapshot_from(posted)
        Store(tmp_path / "other.db", create=True).close()
        (tmp_path / "other.db").replace(demo)
        for file in ("runs.db-wal", "runs.db-shm"):
            demo.with_name(file).unlink(missing_ok=True)
        message = posted.get(timeout=5)
        while isinstance(message, StoreTrouble) or message.snapshot.runs:
            message = posted.get(timeout=5)
        assert message.snapshot.studies == ()


def test_a_store_that_is_not_there_is_trouble_until_it_is(tmp_path):
    with reading(tmp_path / "runs.db") as (_, posted):
        message = posted.get(timeout=5)
        assert "there is no store" in message.text
        Store(tmp_path / "runs.db", create=True).close()
        while isinstance(message, StoreTrouble):
            message = posted.get(timeout=5)
        assert message.snapshot.runs == {}


def test_it_ends_promptly_between_two_polls(demo, monkeypatch):
    monkeypatch.setattr(reader_module, "POLL_SECONDS", 60)
    with reading(demo) as (reader, posted):
        snapshot_from(posted)
        reader.stop()
        assert reader.join(5)


def test_newer_messages_take_the_place_of_older_ones_of_their_kind():
    read, trouble = SnapshotRead(None), StoreTrouble("gone")
    assert read.can_replace(SnapshotRead(None))
    assert trouble.can_replace(StoreTrouble("locked"))
    assert not read.can_replace(trouble)
    assert not trouble.can_replace(read)


def steps(*numbers):
    return [StepMetrics(number, 1, 2.0 / number, 1.0, 0.1) for number in numbers]


def test_it_reads_the_steps_that_are_new_and_after_another_attempt_all_of_them(demo):
    with Store(demo) as store, reading(demo) as (reader, posted):
        reader.want(Wanted(steps=frozenset({1, 16, 17, 999})))
        first = next_with(posted, lambda snapshot: snapshot.steps)
        assert {run_id: len(found) for run_id, found in first.steps.items()} == {1: 120, 16: 72, 17: 0}
        store.record_steps(16, steps(500))
        second = next_with(posted, lambda snapshot: len(snapshot.steps[16]) == 73)
        assert second.steps[16][:72] == first.steps[16]
        assert second.steps[1] is first.steps[1]
        store.give_back(store.run(16), "its worker died")
        taken = store.claim(OWNER)
        assert taken.id == 16
        store.record_steps(16, steps(1, 2))
        third = next_with(posted, lambda snapshot: len(snapshot.steps[16]) == 75)
        assert [step.step for step in third.steps[16][:3]] == [1, 2, 3]


def next_with(posted, holds):
    """The first snapshot that holds, of those that come."""
    while True:
        snapshot = snapshot_from(posted)
        if holds(snapshot):
            return snapshot


def test_what_two_screens_want_is_read_at_once():
    below = Wanted(frozenset({1}), start=3, steps=frozenset({5}))
    above = Wanted(frozenset({2}), log=4)
    assert below.and_also(above) == Wanted(frozenset({1, 2}), 3, 4, frozenset({5}))
    assert below.and_also(Wanted(start=9)).start == 9


def test_the_ansatz_of_a_run_is_read_while_it_is_measured(demo):
    layer = LayerAnsatz("features.0", 0.5, 0.6, float("nan"))
    with Store(demo) as store, reading(demo) as (reader, posted):
        store.record_ansatz(16, EpochAnsatz(0, (layer,)))
        reader.want(Wanted(correlations=frozenset({1, 16, 999})))
        first = next_with(posted, lambda snapshot: snapshot.correlations.get(16))
        assert {run_id: len(found) for run_id, found in first.correlations.items()} == {1: 0, 16: 1}
        store.record_ansatz(16, EpochAnsatz(10, (layer,)))
        second = next_with(posted, lambda snapshot: len(snapshot.correlations[16]) == 2)
        assert second.correlations[1] is first.correlations[1]
        store.heartbeat([16])
        assert snapshot_from(posted).correlations[16] is second.correlations[16]
